/** The suite on `holdfast/nats` against a real server. */
import { loadTarget } from "../../../src/lab/index.ts";
import { conforms } from "../../support/conformance.ts";

conforms(await loadTarget("nats"));
