/** The conformance suite: what every driver must show against a real server. */
export type { ConformanceCase } from "./case.ts";
export { allCases } from "./cases/index.ts";
export { trialCase, trialLink, trialOptions } from "./cases/trial.ts";
export { CaseContext, type Opened, quick, Servers, within } from "./context.ts";
export { Growth } from "./heap-growth.ts";
export { type SoakOptions, type SoakResult, soakTarget, wantedShare } from "./soak.ts";
export {
  type CaseResult,
  ConformanceRun,
  runConformance,
  type SuiteOptions,
  type SuiteResult,
} from "./suite.ts";
export {
  type ConformanceTarget,
  type Lacks,
  type OpenOptions,
  type RollingReport,
  type RollingTrial,
  Skip,
  type TargetClient,
  type TargetServer,
} from "./target.ts";
export { loadTarget, targetNames } from "./targets/index.ts";
export { EventLog, type LoggedEvent } from "./watch.ts";
