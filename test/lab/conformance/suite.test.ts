/** The suite on the least of drivers. */
import { conforms } from "../../support/conformance.ts";
import { plainTarget } from "./plain-target.ts";

conforms(plainTarget);
