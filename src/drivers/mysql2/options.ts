/** What `resilience` takes beside the engine's own options, and how it is read. */
import {
  boolean,
  type Check,
  callback,
  duration,
  either,
  integer,
  listOf,
  number,
  object,
  oneOf,
  optional,
  optionError,
  type ResilienceOptions,
  string,
  suggest,
  unknownOptionError,
} from "../../options/index.ts";
import type { PoolLimits } from "../../pool/index.ts";
import { type EndpointOptions, type ReadEndpointOptions, readEndpointOptions } from "../../sql/index.ts";

/** For pools and connections. */
export interface MysqlResilience extends ResilienceOptions, EndpointOptions {
  /** Statements that every connection begins with, and begins with again after a reset. */
  readonly setUp?: readonly string[];
  /** System variables that the server is asked to track, beside those it tracks by itself, so that they are restored. */
  readonly track?: readonly string[];
  /** Who logs in, asked before every dial, so that rotated credentials are found. Default: `user` and `password`. */
  readonly credentials?: () => MysqlCredentials | Promise<MysqlCredentials>;
  /** A deadline for every statement without a `timeout` of its own, ms. Default none: a long query is never cut. */
  readonly callDeadlineMs?: number;
}

export interface MysqlCredentials {
  readonly user?: string;
  readonly password?: string;
}

/** For single connections. */
export interface MysqlConnectionResilience extends MysqlResilience {
  /** Dial at once, as the library does. With `false` it is dialled by `connect()`. Default true. */
  readonly autoConnect?: boolean;
}

/** For pools: how a connection is cleaned on its return, and limits that the library has no name for. */
export interface MysqlPoolResilience extends MysqlResilience {
  /** Clean a session that was changed (`dirty`, the default), or every one (`always`, as `resetOnRelease`). */
  readonly reset?: "dirty" | "always";
  readonly pool?: MysqlPoolLimits;
}

/** Limits and habits of the pool. Defaults: docs/pool.md. */
export interface MysqlPoolLimits
  extends Omit<PoolLimits, "max" | "maxIdle" | "maxIdleTimeMs" | "maxWaiting"> {
  readonly idleOrder?: "lifo" | "fifo";
  readonly dialConcurrency?: number;
}

/** What a single statement may declare: `query({ sql, resilience: { effect: "read" } })`. */
export interface StatementResilience {
  /** `read`: changes nothing. `idempotent`: doing it twice is the same as once. Both are repeated after a loss. */
  readonly effect?: "read" | "idempotent" | "once";
  /** Covers waiting, wire and reply, as the library's `timeout` does here. */
  readonly deadlineMs?: number;
  /** The caller's way out: a statement that still waits is never sent; the promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

const own = {
  setUp: optional(listOf(string())),
  track: optional(listOf(string())),
  callDeadlineMs: optional(duration({ min: 1 })),
  credentials: optional(callback<NonNullable<MysqlResilience["credentials"]>>()),
  autoConnect: optional(boolean()),
  reset: optional(oneOf(["dirty", "always"] as const)),
};

export interface OwnOptions extends ReadEndpointOptions {
  readonly setUp: readonly string[] | undefined;
  readonly track: readonly string[] | undefined;
  readonly callDeadlineMs: number | undefined;
  readonly credentials: MysqlResilience["credentials"];
  readonly autoConnect: boolean | undefined;
  readonly reset: "dirty" | "always" | undefined;
  readonly pool: MysqlPoolLimits | undefined;
  /** The engine's part. */
  readonly engine: ResilienceOptions;
}

/** @throws `HF_OPTION` naming key, value and what is allowed */
export function readOwn(given: MysqlPoolResilience & MysqlConnectionResilience = {}): OwnOptions {
  if (typeof given !== "object" || given === null) throw optionError("resilience", given, "an object");
  const { endpoints, target, failBackMs, setUp, track, callDeadlineMs, ...others } = given;
  const { credentials, autoConnect, reset, pool, ...engine } = others;
  for (const name of track ?? []) {
    if (!/^\w+$/.test(name)) throw optionError("resilience.track", name, "names of system variables");
  }
  return {
    ...readEndpointOptions({ endpoints, target, failBackMs } as EndpointOptions),
    setUp: own.setUp.read(setUp, "resilience.setUp"),
    track: own.track.read(track, "resilience.track"),
    callDeadlineMs: own.callDeadlineMs.read(callDeadlineMs, "resilience.callDeadlineMs"),
    credentials: own.credentials.read(credentials, "resilience.credentials"),
    autoConnect: own.autoConnect.read(autoConnect, "resilience.autoConnect"),
    reset: own.reset.read(reset, "resilience.reset"),
    pool,
    engine,
  };
}

/** The library's options; a typo of one of them is an error, a stranger is the library's own affair. */
const connectionKeys: readonly string[] = [
  ...["authPlugins", "authSwitchHandler", "bigNumberStrings", "charset", "charsetNumber", "compress"],
  ...["connectAttributes", "connectTimeout", "database", "dateStrings", "debug", "decimalNumbers"],
  ...["enableKeepAlive", "flags", "host", "insecureAuth", "infileStreamFactory", "isServer"],
  ...["keepAliveInitialDelay", "localAddress", "maxPreparedStatements", "multipleStatements"],
  ...["namedPlaceholders", "nestTables", "password", "password1", "password2", "password3", "passwordSha1"],
  ...["pool", "port", "queryFormat", "rowsAsArray", "socketPath", "ssl", "stream", "stringifyObjects"],
  ...["supportBigNumbers", "timezone", "trace", "typeCast", "uri", "user", "disableEval"],
  ...["enableCleartextPlugin", "connectionLimit", "maxIdle", "idleTimeout", "Promise", "queueLimit"],
  ...["resetOnRelease", "waitForConnections", "jsonStrings", "gracefulEnd", "resilience"],
];

const checks = {
  host: string(),
  port: either(integer({ min: 1, max: 65_535 }), string()),
  user: string({ allowEmpty: true }),
  database: string({ allowEmpty: true }),
  socketPath: string(),
  connectTimeout: duration({ min: 1 }),
  connectionLimit: integer({ min: 0 }),
  maxIdle: integer({ min: 0 }),
  idleTimeout: duration({ min: 1 }),
  queueLimit: integer({ min: 0 }),
  waitForConnections: boolean(),
  resetOnRelease: boolean(),
  enableKeepAlive: boolean(),
  keepAliveInitialDelay: number({ min: 0 }),
  gracefulEnd: boolean(),
  stream: callback<() => unknown>(),
} as const;

/** @throws `HF_OPTION` naming the key, its value and what is allowed */
export function checkGiven(given: object): void {
  for (const key of Object.keys(given)) {
    if (connectionKeys.includes(key)) continue;
    const meant = suggest(key, connectionKeys);
    if (meant !== undefined) throw unknownOptionError(key, connectionKeys, `; did you mean "${meant}"?`);
  }
  for (const [key, check] of Object.entries(checks)) {
    const value = (given as Readonly<Record<string, unknown>>)[key];
    if (value !== undefined && value !== null)
      (check as { read(v: unknown, k: string): unknown }).read(value, key);
  }
}

const aSignal: Check<AbortSignal> = {
  allowed: "an AbortSignal",
  read(value, key) {
    if (value instanceof AbortSignal) return value;
    throw optionError(key, value, "an AbortSignal");
  },
};

const statementShape = object({
  effect: optional(oneOf(["read", "idempotent", "once"] as const)),
  deadlineMs: optional(duration({ min: 1 })),
  signal: optional(aSignal),
});

/** @throws `HF_OPTION` */
export function readStatementOptions(given: unknown): StatementResilience {
  return given === undefined ? {} : (statementShape.read(given, "resilience") as StatementResilience);
}
