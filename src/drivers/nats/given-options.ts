/** nats.js' own options, checked before anything is dialled. */
import {
  boolean,
  type Check,
  callback,
  didYouMean,
  integer,
  listOf,
  number,
  optionError,
  string,
  unknownOptionError,
} from "../../options/index.ts";

const FOR_EVER = Number.POSITIVE_INFINITY;
const ms = number({ min: 0, max: Number.MAX_SAFE_INTEGER });
const fn = callback<(...args: never[]) => unknown>();

/** Either of two, or `null`, which nats.js takes for some. */
function orNull<T>(inner: Check<T>): Check<T | null> {
  return {
    allowed: `${inner.allowed}, or null`,
    read: (value, key) => (value === null ? null : inner.read(value, key)),
  };
}

/** A text that is never shown. */
const secret: Check<string> = {
  allowed: "a text",
  read(value, key) {
    if (typeof value !== "string") throw optionError(key, "***", "a text");
    return value;
  },
};

function oneOrList<T>(one: Check<T>): Check<T | readonly T[]> {
  return {
    allowed: `${one.allowed}, or a list of them`,
    read: (value, key) => (Array.isArray(value) ? listOf(one).read(value, key) : one.read(value, key)),
  };
}

const tls: Check<object | null> = {
  allowed: "an object, or null for no TLS",
  read(value, key) {
    if (value === null || (typeof value === "object" && !Array.isArray(value))) return value;
    throw optionError(key, "***", "an object, or null for no TLS");
  },
};

const checks: Readonly<Record<string, Check<unknown>>> = {
  authenticator: oneOrList(fn),
  debug: boolean(),
  ignoreAuthErrorAbort: boolean(),
  ignoreClusterUpdates: boolean(),
  inboxPrefix: string(),
  maxPingOut: integer({}),
  maxReconnectAttempts: orNull(integer({})),
  name: string({ allowEmpty: true }),
  noAsyncTraces: boolean(),
  noEcho: boolean(),
  noRandomize: boolean(),
  pass: secret,
  pedantic: boolean(),
  pingInterval: number({ min: -FOR_EVER, max: FOR_EVER }),
  port: integer({ min: 1, max: 65_535 }),
  reconnect: boolean(),
  reconnectDelayHandler: fn,
  reconnectJitter: ms,
  reconnectJitterTLS: ms,
  reconnectTimeWait: ms,
  reconnectToServer: fn,
  resolve: boolean(),
  servers: oneOrList(secret),
  timeout: ms,
  tls,
  token: secret,
  user: secret,
  verbose: boolean(),
  waitOnFirstConnect: boolean(),
  wsFactory: fn,
};

/**
 * A key that is near a known one is a typo. Any other is left to the library: a later version may know it.
 * @throws `HF_OPTION` naming key, value and what is allowed
 */
export function checkGivenOptions(options: object): void {
  const known = Object.keys(checks);
  for (const [key, value] of Object.entries(options)) {
    if (key === "resilience" || value === undefined) continue;
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    if (check !== undefined) check.read(value, key);
    else refuseTypo(key, known);
  }
}

function refuseTypo(key: string, known: readonly string[]): void {
  const hint = didYouMean(key, known);
  if (hint !== "") throw unknownOptionError(key, known, hint);
}
