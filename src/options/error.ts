import { HoldfastError } from "../call/index.ts";
import { showValue } from "./show.ts";

/**
 * The error for a wrong option: names the key, the value (secrets hidden) and what is allowed.
 * Code `HF_OPTION`; `details` holds `key` and `allowed`.
 */
export function optionError(key: string, value: unknown, allowed: string, hint = ""): HoldfastError {
  const message = `option "${key}" is ${showValue(key, value)}, but must be ${allowed}${hint}`;
  return new HoldfastError("HF_OPTION", message, { details: { key, allowed } });
}

/** The error for a key nobody knows. */
export function unknownOptionError(key: string, allowed: readonly string[], hint: string): HoldfastError {
  const message = `unknown option "${key}"${hint} (known: ${allowed.join(", ")})`;
  return new HoldfastError("HF_OPTION", message, { details: { key, allowed: allowed.join(", ") } });
}

/** The error for an option that is known but can't be honoured; it is refused, because ignoring it would be a lie. */
export function refusedOptionError(key: string, why: string): HoldfastError {
  return new HoldfastError("HF_OPTION", `option "${key}" is refused: ${why}`, { details: { key } });
}
