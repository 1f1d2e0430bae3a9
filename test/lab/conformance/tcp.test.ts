/** The suite on `holdfast/tcp` against a service in a process of its own. */
import { loadTarget } from "../../../src/lab/index.ts";
import { conforms } from "../../support/conformance.ts";

conforms(await loadTarget("tcp"));
