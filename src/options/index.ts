/** Room `options`: how options are read, checked and refused. */
export * from "./check.ts";
export { type BareNumber, formatDuration, parseGoDuration, parseHoconDuration } from "./duration.ts";
export { optionError, refusedOptionError, unknownOptionError } from "./error.ts";
export { isSecretKey, redactText, showValue } from "./show.ts";
export { didYouMean, editDistance, suggest } from "./suggest.ts";
