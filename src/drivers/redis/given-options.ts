/**
 * Checks the library's own options before the library sees them: it ignores what it does not know, dials what can't be
 * dialled, and Node's error for a wrong URL carries the whole URL, password included.
 */
import {
  boolean,
  callback,
  duration,
  either,
  integer,
  oneOf,
  optionError,
  redactText,
  string,
  suggest,
  unknownOptionError,
} from "../../options/index.ts";
import type { AnyRedisClientOptions } from "./library.ts";

/** The library's options; a typo of one of them is an error, a stranger is the library's own affair. */
const clientKeys: readonly string[] = [
  ...["url", "socket", "username", "password", "credentialsProvider", "name", "database", "keyPrefix"],
  ...["commandsQueueMaxLength", "disableOfflineQueue", "readonly", "pingInterval", "commandOptions"],
  ...["clientSideCache", "himportRegistry", "disableClientInfo", "clientInfoTag", "emitInvalidate", "RESP"],
  ...["modules", "functions", "scripts", "maintNotifications", "maintEndpointType", "unstableResp3"],
  ...["maintRelaxedCommandTimeout", "maintRelaxedSocketTimeout", "resilience", "connectionName"],
];

const socketKeys: readonly string[] = [
  ...["host", "port", "path", "tls", "servername", "connectTimeout", "socketTimeout", "reconnectStrategy"],
  ...[
    "noDelay",
    "keepAlive",
    "keepAliveInitialDelay",
    "family",
    "lookup",
    "rejectUnauthorized",
    "ca",
    "cert",
    "key",
  ],
  ...[
    "localAddress",
    "localPort",
    "checkServerIdentity",
    "secureContext",
    "minVersion",
    "maxVersion",
    "socket",
  ],
];

const clientChecks = {
  database: integer({ min: 0 }),
  commandsQueueMaxLength: integer({ min: 0 }),
  disableOfflineQueue: boolean(),
  readonly: boolean(),
  pingInterval: duration({ min: 0 }),
  name: string({ allowEmpty: true }),
  username: string({ allowEmpty: true }),
} as const;

const socketChecks = {
  host: string(),
  port: integer({ min: 1, max: 65_535 }),
  path: string(),
  tls: boolean(),
  connectTimeout: duration({ min: 1 }),
  reconnectStrategy: either(
    either(duration({ min: 0 }), oneOf([false] as const)),
    callback<(retries: number, cause: Error) => number | false | Error>(),
  ),
} as const;

/** @throws `HF_OPTION` naming the key, the value (no secrets) and what is allowed */
export function checkGiven(options: AnyRedisClientOptions): void {
  refuseTypos(options, clientKeys, "");
  checkAll(options, clientChecks, "");
  if (options.url !== undefined) checkUrl(options.url);
  if (options.socket === undefined) return;
  refuseTypos(options.socket, socketKeys, "socket.");
  checkAll(options.socket, socketChecks, "socket.");
}

function refuseTypos(given: object, known: readonly string[], prefix: string): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const meant = suggest(key, known);
    if (meant !== undefined) throw unknownOptionError(`${prefix}${key}`, known, `; did you mean "${meant}"?`);
  }
}

type Checks = Readonly<Record<string, { read(value: unknown, key: string): unknown }>>;

function checkAll(given: object, checks: Checks, prefix: string): void {
  for (const [key, check] of Object.entries(checks)) {
    const value = (given as Readonly<Record<string, unknown>>)[key];
    if (value !== undefined) check.read(value, prefix + key);
  }
}

const allowed = "redis://, rediss:// (TLS) or unix://, as redis://[[user]:password@]host[:port][/database]";

function checkUrl(url: unknown): void {
  if (typeof url !== "string") throw optionError("url", url, allowed);
  if (url.startsWith("unix:")) return;
  const hidden = redactText(url);
  const port = /:(\d+)(?=[/?#]|$)/.exec(url.replace(/^[^@]*@/, ""))?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    throw optionError("url", hidden, allowed, `; its port ${port} is not from 1 to 65535`);
  }
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw optionError("url", hidden, allowed); // without Node's own error: its `input` is the whole URL
  }
  const scheme = parsed.protocol;
  if (scheme !== "redis:" && scheme !== "rediss:") throw optionError("url", hidden, allowed);
  if (!/^\/?\d*$/.test(parsed.pathname)) {
    throw optionError("url", hidden, allowed, "; the path must be the number of a database");
  }
  for (const part of [parsed.username, parsed.password]) checkEscapes(part, hidden);
}

function checkEscapes(part: string, hidden: string): void {
  try {
    decodeURIComponent(part);
  } catch {
    throw optionError("url", hidden, allowed, "; a % in user or password must be written %25");
  }
}
