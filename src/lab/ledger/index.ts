/** The outcome ledger: numbered writes through a storm, compared with what the server has. */
export { countsOf, type LedgerCounts } from "./counts.ts";
export { Ledger } from "./ledger.ts";
export {
  type RestartKind,
  type RollingMember,
  type RollingOptions,
  type RollingResult,
  runRolling,
} from "./rolling.ts";
export {
  type StormFault,
  type StormScriptOptions,
  type StormStep,
  stormFaults,
  stormScript,
} from "./script.ts";
export { type StormServer, type StormStage, type StormWatcher, storm, strike } from "./storm.ts";
export { type Told, toldBy } from "./told.ts";
export { runTrial, type TrialLink, type TrialOptions, type TrialResult } from "./trial.ts";
export { type Calm, type Cut, explainVerdict, type Verdict } from "./verdict.ts";
export { Workload, type WorkloadOptions } from "./workload.ts";
