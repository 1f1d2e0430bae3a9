/** The suite on `holdfast/mysql2` against a real MariaDB. */
import { loadTarget } from "../../../src/lab/index.ts";
import { conforms } from "../../support/conformance.ts";

conforms(await loadTarget("mysql2"));
