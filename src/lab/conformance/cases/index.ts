/** Every case, in the order of a run. */
import type { ConformanceCase } from "../case.ts";
import { callCases } from "./calls.ts";
import { closeCases } from "./closing.ts";
import { credentialCases } from "./credentials.ts";
import { dialCases } from "./dialing.ts";
import { enduranceCases } from "./endurance.ts";
import { failoverCases } from "./failover.ts";
import { halfOpenCases } from "./half-open.ts";
import { lossCases } from "./losses.ts";
import { trialCases } from "./trial.ts";

export const allCases: readonly ConformanceCase[] = [
  ...lossCases,
  ...dialCases,
  ...halfOpenCases,
  ...failoverCases,
  ...callCases,
  ...closeCases,
  ...credentialCases,
  ...enduranceCases,
  ...trialCases,
];
