/** From the library's options and `resilience` to what the pool, the links and the dials take. */
import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import { optionError, type ResolvedResilience, redactText, resolveResilience } from "../../options/index.ts";
import { readEndpoint } from "../../sql/index.ts";
import type { DialPlan } from "./dial.ts";
import { internals } from "./internals.ts";
import { type LibraryConfig, library } from "./library.ts";
import { checkGiven, type MysqlPoolLimits, type MysqlPoolResilience, readOwn } from "./options.ts";

export interface MysqlSettings {
  readonly plan: DialPlan;
  readonly endpoints: readonly Endpoint[];
  readonly resolved: ResolvedResilience;
  /** How often a pool looks whether it can go back to the endpoint that comes first. */
  readonly failBackMs: number | false;
  /** A backoff was asked for: a pool uses its own otherwise. */
  readonly ownBackoff: boolean;
  readonly callDeadlineMs: number | undefined;
  readonly reset: "dirty" | "always";
  readonly limits: MysqlPoolLimits;
  readonly autoConnect: boolean;
  readonly name: string;
}

const defaultPort = 3306;

/**
 * @param given the library's options, an URL of the library's form, or both (`uri`)
 * @throws `HF_OPTION` naming key, value and what is allowed; nothing is dialled
 */
export function readSettings(
  given: Readonly<Record<string, unknown>>,
  config: LibraryConfig,
  resilience: MysqlPoolResilience | undefined,
): MysqlSettings {
  const own = readOwn(resilience);
  const resolved = resolveResilience({
    ...(typeof given.connectTimeout === "number" && { connectTimeoutMs: given.connectTimeout }),
    ...own.engine,
  });
  const home: Endpoint =
    config.socketPath === undefined
      ? { host: config.host, port: config.port }
      : { host: "", port: 0, path: config.socketPath };
  const endpoints = own.endpoints?.map((entry, i) =>
    readEndpoint(entry, `resilience.endpoints[${i}]`, config.port ?? defaultPort),
  ) ?? [home];
  const track = (own.track ?? []).map((name) => `,${name}`).join("");
  const tracked =
    track === ""
      ? []
      : [
          `SET SESSION session_track_system_variables = CONCAT(@@session.session_track_system_variables, '${track}')`,
        ];
  return {
    plan: {
      config,
      classes: internals(),
      keepAliveMs: keepAlive(config, resolved.tcpKeepAliveMs),
      connectTimeoutMs: resolved.policy.connectTimeoutMs,
      setUp: [...tracked, ...(own.setUp ?? [])],
      credentials: own.credentials,
      primaryOnly: own.target === "primary",
    },
    endpoints,
    resolved,
    failBackMs: own.failBackMs,
    ownBackoff: resilience?.backoff !== undefined,
    callDeadlineMs: own.callDeadlineMs,
    reset: own.reset ?? (given.resetOnRelease === true ? "always" : "dirty"),
    limits: own.pool ?? {},
    autoConnect: own.autoConnect ?? true,
    name: resolved.name ?? `mysql2 ${endpoints[0] === undefined ? "" : endpointId(endpoints[0])}`,
  };
}

/** The library leaves the first keepalive to the system, which waits two hours. */
function keepAlive(config: LibraryConfig, ours: number | false): number | false {
  if (!config.enableKeepAlive) return false;
  return config.keepAliveInitialDelay ?? ours;
}

/** What was given, without our own key; the library writes into what it gets. */
export interface Given {
  readonly own: Record<string, unknown>;
  readonly resilience: MysqlPoolResilience | undefined;
}

export function readGiven(options: unknown): Given {
  if (typeof options === "string") return { own: { uri: options }, resilience: undefined };
  if (typeof options !== "object" || options === null) {
    throw optionError("options", options, "an object or an URL such as mysql://user@host/database");
  }
  const { resilience, ...own } = options as Record<string, unknown>;
  checkGiven(own);
  return { own, resilience: resilience as MysqlPoolResilience | undefined };
}

/** The library's own reading of its options. @throws `HF_OPTION` without any part of the URL that is secret */
export function libraryConfig(own: Record<string, unknown>): LibraryConfig {
  const { uri } = own;
  if (uri !== undefined) {
    const allowed = "an URL such as mysql://user:password@host:3306/database";
    if (typeof uri !== "string") throw optionError("uri", uri, allowed);
    try {
      new URL(uri); // Node's own error would show the whole of it, password included
    } catch {
      throw optionError("uri", redactText(uri), allowed);
    }
  }
  return new library.ConnectionConfig(own);
}
