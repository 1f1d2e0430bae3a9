/** What the spellings have in common. Their errors never quote the whole text: a piece of it is a password. */
import { HoldfastError } from "../../call/index.ts";
import { didYouMean, optionError, parseGoDuration } from "../../options/index.ts";

/** Longer ones are refused unread; the longest sensible one is a few hundred characters. */
const LONGEST = 8_192;

/** An error about the text as a whole. `key` is what the caller calls it: `dsn`, `url`. */
export function textError(key: string, why: string): HoldfastError {
  return new HoldfastError("HF_OPTION", `option "${key}" is not usable: ${why}`, { details: { key } });
}

export function readText(key: string, value: unknown): string {
  if (typeof value !== "string") throw optionError(key, typeof value, "a text");
  if (value.length > LONGEST) throw textError(key, `it is longer than ${LONGEST} characters`);
  return value;
}

/** Percent-decoding; with `plus`, a plus sign is a space, as in a query. */
export function unescapeText(key: string, what: string, text: string, plus = false): string {
  try {
    return decodeURIComponent(plus ? text.replaceAll("+", " ") : text);
  } catch {
    throw textError(key, `its ${what} holds a "%" that is not followed by two hexadecimal digits; write %25`);
  }
}

/** One parameter of a DSN or URL. `hidden`: it may be a piece of a password, so its value is never shown. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
  readonly hidden: boolean;
}

export function parameterError({ name, value, hidden }: Parameter, allowed: string): HoldfastError {
  return optionError(name, hidden ? "(not shown)" : value, allowed);
}

/** A known parameter that can't be honoured here. */
export function parameterRefused({ name }: Parameter, why: string): HoldfastError {
  return new HoldfastError("HF_OPTION", `option "${name}" is refused: ${why}`, { details: { key: name } });
}

/** A name that may be shown: a plain word. Anything else may be the rest of a password. */
export function isPlainName(name: string): boolean {
  return /^[a-z_][\w.]{0,63}$/i.test(name);
}

export function unknownParameter(
  key: string,
  { name, hidden }: Parameter,
  known: readonly string[],
): HoldfastError {
  const shown = !hidden && isPlainName(name);
  const why = shown
    ? `unknown parameter "${name}"${didYouMean(name, known)}`
    : "it has an unknown parameter (not shown: it may be a piece of an unescaped password)";
  return new HoldfastError("HF_OPTION", `option "${key}": ${why} (known: ${known.join(", ")})`, {
    details: { key: shown ? name : key, allowed: known.join(", ") },
  });
}

/** Go's spelling of true and false. */
export function goBoolean(parameter: Parameter): boolean {
  if (["1", "true", "TRUE", "True"].includes(parameter.value)) return true;
  if (["0", "false", "FALSE", "False"].includes(parameter.value)) return false;
  throw parameterError(parameter, "true, True, TRUE, 1, false, False, FALSE or 0");
}

/** Go's duration, which has a unit. Zero or less: no limit of its own (the driver's default holds). */
export function goTimeout(parameter: Parameter): number | undefined {
  const ms = parseGoDuration(parameter.value);
  if (ms === undefined)
    throw parameterError(parameter, 'a duration with a unit, like "10s", "500ms" or "1m30s"');
  return ms > 0 ? ms : undefined;
}

export function wholeNumber(parameter: Parameter, min: number, max: number): number {
  const number = Number(parameter.value);
  if (/^[+-]?\d{1,15}$/.test(parameter.value) && number >= min && number <= max) return number;
  throw parameterError(parameter, `a whole number from ${min} to ${max}`);
}

/** A port in text; `undefined` when it is none. */
export function portOf(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535 ? port : undefined;
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`, and an IPv6 address without brackets, which then has no port. */
export function splitHostPort(text: string): { host: string; port: string | undefined } | undefined {
  const bracketed = /^\[([^\][]*)\](?::(.*))?$/s.exec(text);
  if (bracketed !== null) return { host: bracketed[1] as string, port: bracketed[2] };
  if (/[\][]/.test(text)) return undefined;
  const colon = text.indexOf(":");
  if (colon < 0) return { host: text, port: undefined };
  if (text.indexOf(":", colon + 1) >= 0) {
    return /^[\da-f:.]+(%\w+)?$/i.test(text) ? { host: text, port: undefined } : undefined;
  }
  return { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

/** An object without the keys that have no value. */
export function given<T extends object>(object: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
