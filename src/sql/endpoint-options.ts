/** Several servers of the same data, as options. */
import type { Endpoint } from "../endpoint/index.ts";
import { duration, either, oneOf, optional, optionError } from "../options/index.ts";

/** What both SQL drivers take under `resilience`. */
export interface EndpointOptions {
  /** Servers to dial instead of `host` and `port`: `"host:port"`, `"host"` or `{ host, port }`. */
  readonly endpoints?: readonly (string | Endpoint)[];
  /** `primary`: a standby, or a server that only reads, is left for the next endpoint. Default `any`. */
  readonly target?: "any" | "primary";
  /**
   * While connections of a pool are not on the endpoint that comes first, how often it looks whether that can be used
   * again, ms ±50 %; each time it can, a tenth of them moves. `false`: they stay until they end. Default 30,000.
   */
  readonly failBackMs?: number | false;
}

export interface ReadEndpointOptions {
  /** As they were given: the driver knows the usual port. */
  readonly endpoints: readonly unknown[] | undefined;
  readonly target: "any" | "primary" | undefined;
  readonly failBackMs: number | false;
}

const allowedEndpoint = '"host:port", "host" or { host, port }';
const defaultFailBackMs = 30_000;
const target = optional(oneOf(["any", "primary"] as const));
const failBackMs = optional(either(duration({ min: 100 }), oneOf([false] as const)));

/** @throws `HF_OPTION` naming key, value and what is allowed */
export function readEndpointOptions(given: EndpointOptions): ReadEndpointOptions {
  const { endpoints } = given;
  if (endpoints !== undefined && (!Array.isArray(endpoints) || endpoints.length === 0)) {
    throw optionError("resilience.endpoints", endpoints, `a list of at least one ${allowedEndpoint}`);
  }
  return {
    endpoints,
    target: target.read(given.target, "resilience.target"),
    failBackMs: failBackMs.read(given.failBackMs, "resilience.failBackMs") ?? defaultFailBackMs,
  };
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535;
}

/** @throws `HF_OPTION` for what is no address; a word that may hold a password is not shown */
export function readEndpoint(entry: unknown, key: string, defaultPort: number): Endpoint {
  if (typeof entry === "object" && entry !== null && typeof (entry as Endpoint).host === "string") {
    const { port = defaultPort, ...rest } = entry as Endpoint;
    if (rest.path === undefined && !isPort(port)) throw optionError(`${key}.port`, port, "1 to 65535");
    return { port, ...rest };
  }
  const match = typeof entry === "string" ? /^(?:\[([^\]]+)\]|([^:/@\s]+))(?::(\d+))?$/.exec(entry) : null;
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (match === null || !isPort(port)) throw optionError(key, entry, allowedEndpoint);
  return { host: (match[1] ?? match[2]) as string, port };
}
