/** The suite on `holdfast/pg` against a real PostgreSQL. */
import { loadTarget } from "../../../src/lab/index.ts";
import { conforms } from "../../support/conformance.ts";

conforms(await loadTarget("pg"));
