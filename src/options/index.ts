/** Room `options`: how options are read, checked and refused. */

export { type BareNumber, formatDuration, parseGoDuration, parseHoconDuration } from "../time/index.ts";
export * from "./check.ts";
export { type Default, type DefaultName, defaults } from "./defaults.ts";
export { optionError, refusedOptionError, unknownOptionError } from "./error.ts";
export {
  type BackoffShape,
  type ResilienceOptions,
  type ResolvedResilience,
  resolveResilience,
} from "./resilience.ts";
export { isSecretKey, redactText, showValue } from "./show.ts";
export { didYouMean, editDistance, suggest } from "./suggest.ts";
