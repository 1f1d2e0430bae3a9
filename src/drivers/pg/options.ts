/** What `resilience` takes beside the engine's own options, and how it and the library's options are read. */
import {
  boolean,
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

/** For pools and clients. */
export interface PgResilience extends ResilienceOptions, EndpointOptions {
  /** Statements that every connection begins with, and begins with again after a reset. */
  readonly setUp?: readonly string[];
  /** A deadline for every statement without one of its own, ms; also `query_timeout`. Default none: a long query is never cut. */
  readonly callDeadlineMs?: number;
}

/** For pools: how a connection is cleaned on its return, and limits that the library has no name for. */
export interface PgPoolResilience extends PgResilience {
  /** Clean a session that was changed (`dirty`, the default), or every one (`always`). */
  readonly reset?: "dirty" | "always";
  readonly pool?: PgPoolLimits;
}

/** Limits and habits of the pool. Defaults: docs/pool.md. */
export interface PgPoolLimits
  extends Omit<PoolLimits, "max" | "min" | "maxIdleTimeMs" | "maxLifetimeMs" | "acquireTimeoutMs"> {
  readonly idleOrder?: "lifo" | "fifo";
  readonly dialConcurrency?: number;
}

/** What a single statement may declare: `query({ text, values, resilience: { effect: "read" } })`. */
export interface StatementResilience {
  /** `read`: changes nothing. `idempotent`: doing it twice is the same as once. Both are repeated after a loss. */
  readonly effect?: "read" | "idempotent" | "once";
  /** Covers waiting, wire and reply, as the library's `query_timeout` does here. */
  readonly deadlineMs?: number;
  /** Leaves the queue, or the reply; the query rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

const own = {
  setUp: optional(listOf(string())),
  callDeadlineMs: optional(duration({ min: 1 })),
  reset: optional(oneOf(["dirty", "always"] as const)),
};

export interface OwnOptions extends ReadEndpointOptions {
  readonly setUp: readonly string[] | undefined;
  readonly callDeadlineMs: number | undefined;
  readonly reset: "dirty" | "always" | undefined;
  readonly pool: PgPoolLimits | undefined;
  /** The engine's part. */
  readonly engine: ResilienceOptions;
}

/** @throws `HF_OPTION` naming key, value and what is allowed */
export function readOwn(given: PgPoolResilience = {}): OwnOptions {
  if (typeof given !== "object" || given === null) throw optionError("resilience", given, "an object");
  const { endpoints, target, failBackMs, setUp, callDeadlineMs, reset, pool, ...engine } = given;
  return {
    ...readEndpointOptions({ endpoints, target, failBackMs } as EndpointOptions),
    setUp: own.setUp.read(setUp, "resilience.setUp"),
    callDeadlineMs: own.callDeadlineMs.read(callDeadlineMs, "resilience.callDeadlineMs"),
    reset: own.reset.read(reset, "resilience.reset"),
    pool,
    engine,
  };
}

/** The library's options; a typo of one of them is an error, a stranger is the library's own affair. */
const libraryKeys: readonly string[] = [
  ...[
    "user",
    "database",
    "password",
    "port",
    "host",
    "connectionString",
    "keepAlive",
    "stream",
    "statement_timeout",
  ],
  ...["ssl", "sslnegotiation", "enableChannelBinding", "scramMaxIterations", "query_timeout", "lock_timeout"],
  ...["keepAliveInitialDelayMillis", "idle_in_transaction_session_timeout", "application_name"],
  ...[
    "fallback_application_name",
    "connectionTimeoutMillis",
    "types",
    "options",
    "client_encoding",
    "pipeline",
  ],
  ...[
    "replication",
    "binary",
    "Promise",
    "max",
    "min",
    "poolSize",
    "idleTimeoutMillis",
    "log",
    "allowExitOnIdle",
  ],
  ...["maxUses", "maxLifetimeSeconds", "Client", "onConnect", "verify", "resilience", "connection"],
];

const millis = number({ min: 0 });
const timeout = either(millis, either(string(), oneOf([false] as const)));
const checks: Readonly<Record<string, { read(value: unknown, key: string): unknown }>> = {
  host: string({ allowEmpty: true }),
  port: either(integer({ min: 1, max: 65_535 }), string()),
  user: string({ allowEmpty: true }),
  database: string({ allowEmpty: true }),
  connectionString: string({ allowEmpty: true }),
  keepAlive: boolean(),
  keepAliveInitialDelayMillis: millis,
  connectionTimeoutMillis: millis,
  query_timeout: timeout,
  statement_timeout: timeout,
  lock_timeout: timeout,
  max: integer({ min: 0 }),
  min: integer({ min: 0 }),
  idleTimeoutMillis: millis,
  maxUses: number({ min: 0, max: Number.POSITIVE_INFINITY }),
  maxLifetimeSeconds: millis,
  allowExitOnIdle: boolean(),
  pipeline: boolean(),
  onConnect: callback<() => unknown>(),
  verify: callback<() => unknown>(),
  log: callback<() => unknown>(),
};

/** @throws `HF_OPTION` naming the key, its value and what is allowed */
export function checkGiven(given: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(given)) {
    if (libraryKeys.includes(key)) continue;
    const meant = suggest(key, libraryKeys);
    if (meant !== undefined) throw unknownOptionError(key, libraryKeys, `; did you mean "${meant}"?`);
  }
  for (const [key, check] of Object.entries(checks)) {
    const value = given[key];
    if (value !== undefined && value !== null) check.read(value, key);
  }
  const { password } = given;
  if (
    password !== undefined &&
    password !== null &&
    typeof password !== "string" &&
    typeof password !== "function"
  ) {
    throw optionError(
      "password",
      "(not shown)",
      "a string, or a function that returns one or a promise of one",
    );
  }
}

const statementShape = object({
  effect: optional(oneOf(["read", "idempotent", "once"] as const)),
  deadlineMs: optional(duration({ min: 1 })),
});

/** @throws `HF_OPTION` */
export function readStatementOptions(given: unknown): StatementResilience {
  if (typeof given !== "object" || given === null) throw optionError("resilience", given, "an object");
  const { signal, ...rest } = given as { signal?: unknown };
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw optionError("resilience.signal", signal, "an AbortSignal");
  }
  return {
    ...statementShape.read(rest, "resilience"),
    ...(signal !== undefined && { signal }),
  } as StatementResilience;
}
