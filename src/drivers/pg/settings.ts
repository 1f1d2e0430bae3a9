/** From the library's options and `resilience` to what the pool, the links and the dials take. */
import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import { optionError, type ResolvedResilience, redactText, resolveResilience } from "../../options/index.ts";
import { readEndpoint } from "../../sql/index.ts";
import type { DialPlan } from "./dial.ts";
import { InertStream } from "./inert.ts";
import { checkInternals } from "./internals.ts";
import { type ConnectionParameters, library } from "./library.ts";
import { checkGiven, type PgPoolLimits, type PgPoolResilience, readOwn } from "./options.ts";

export interface PgSettings {
  readonly plan: DialPlan;
  /** What the library's constructors are given: everything but the way to a socket. */
  readonly inert: Readonly<Record<string, unknown>>;
  readonly endpoints: readonly Endpoint[];
  readonly resolved: ResolvedResilience;
  /** How often a pool looks whether it can go back to the endpoint that comes first. */
  readonly failBackMs: number | false;
  /** A backoff was asked for: a pool uses its own otherwise. */
  readonly ownBackoff: boolean;
  readonly callDeadlineMs: number | undefined;
  readonly reset: "dirty" | "always";
  readonly limits: PgPoolLimits;
  readonly name: string;
}

const defaultPort = 5432;

/** What was given, without our own key. @throws `HF_OPTION` */
export function readGiven(options: unknown): {
  readonly own: Record<string, unknown>;
  readonly resilience: PgPoolResilience | undefined;
} {
  if (options === undefined || options === null) return { own: {}, resilience: undefined };
  if (typeof options === "string") return { own: { connectionString: options }, resilience: undefined };
  if (typeof options !== "object") {
    throw optionError("options", options, "an object or an URL such as postgres://user@host/database");
  }
  const { resilience, ...own } = options as Record<string, unknown>;
  // Hidden from what lists an object's keys, as the library does it.
  const { password } = options as { password?: unknown };
  if (password !== undefined) own.password = password;
  checkGiven(own);
  return { own, resilience: resilience as PgPoolResilience | undefined };
}

/** @throws `HF_OPTION` naming key, value and what is allowed; nothing is dialled */
export function readSettings(
  given: Readonly<Record<string, unknown>>,
  resilience: PgPoolResilience | undefined,
): PgSettings {
  checkInternals();
  const own = readOwn(resilience);
  const timeout = Number(given.connectionTimeoutMillis ?? 0);
  const resolved = resolveResilience({
    ...(timeout > 0 && { connectTimeoutMs: timeout }),
    ...own.engine,
  });
  const { connection: _connection, stream, ...rest } = given;
  const inert = { ...rest, stream: () => new InertStream() };
  const parameters = parametersOf(inert);
  const { host, port } = parameters;
  const home: Endpoint = host?.startsWith("/")
    ? { host: "", port: 0, path: `${host}/.s.PGSQL.${port}` }
    : { host, port };
  const endpoints = own.endpoints?.map((entry, i) =>
    readEndpoint(entry, `resilience.endpoints[${i}]`, port || defaultPort),
  ) ?? [home];
  const queryTimeout = Number(parameters.query_timeout || 0);
  return {
    plan: {
      config: wireConfig(rest, parameters),
      stream: stream as (() => unknown) | undefined,
      keepAliveMs: keepAlive(given, resolved.tcpKeepAliveMs),
      connectTimeoutMs: resolved.policy.connectTimeoutMs,
      setUp: own.setUp ?? [],
      primaryOnly: own.target === "primary",
    },
    inert,
    endpoints,
    resolved,
    failBackMs: own.failBackMs,
    ownBackoff: resilience?.backoff !== undefined,
    callDeadlineMs: own.callDeadlineMs ?? (queryTimeout > 0 ? queryTimeout : undefined),
    reset: own.reset ?? "dirty",
    limits: own.pool ?? {},
    name: resolved.name ?? `pg ${endpoints[0] === undefined ? "" : endpointId(endpoints[0])}`,
  };
}

/** The library's own reading of options, URL and environment. @throws `HF_OPTION` without any part that is secret */
function parametersOf(inert: Readonly<Record<string, unknown>>): ConnectionParameters {
  const { connectionString } = inert;
  try {
    return new library.Client(inert).connectionParameters;
  } catch (error) {
    if (connectionString === undefined)
      throw optionError("options", redactText(String(error)), "options of pg");
    const allowed = "an URL such as postgres://user:password@host:5432/database";
    throw optionError("connectionString", redactText(String(connectionString)), allowed);
  }
}

/** Options of one connection: what the URL said is spelled out, since it would win over the endpoint. */
function wireConfig(
  given: Readonly<Record<string, unknown>>,
  parameters: ConnectionParameters,
): Readonly<Record<string, unknown>> {
  const { connectionString: _url, ...rest } = given;
  const { password, ...read } = parameters as unknown as Record<string, unknown>;
  return {
    ...rest,
    ...read,
    password,
    connectionTimeoutMillis: 0,
    query_timeout: 0,
  };
}

/** The library leaves TCP keepalive off: a peer that is gone is then never missed. An explicit `false` counts. */
function keepAlive(given: Readonly<Record<string, unknown>>, ours: number | false): number | false {
  if (given.keepAlive === false) return false;
  const { keepAliveInitialDelayMillis: delay } = given;
  return typeof delay === "number" && delay > 0 ? delay : given.keepAlive === true ? ours || 0 : ours;
}
