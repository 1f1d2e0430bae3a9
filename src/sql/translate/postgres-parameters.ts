/** What libpq's and pgx's connection parameters mean. */
import type { Endpoint } from "../../endpoint/index.ts";
import { didYouMean, parseGoDuration } from "../../options/index.ts";
import type { PoolLimits } from "../../pool/index.ts";
import { postgresTls, tlsNames } from "./postgres-tls.ts";
import type { SqlServerRole, SqlSettings } from "./settings.ts";
import {
  given,
  type Parameter,
  parameterError,
  parameterRefused,
  portOf,
  textError,
  unknownParameter,
  wholeNumber,
} from "./text.ts";

type Settings = Partial<SqlSettings>;
type Reader = (parameter: Parameter) => Settings;

const DEFAULT_PORT = 5_432;
const MAX_SECONDS = 2_147_483;
const roles: readonly SqlServerRole[] = [
  ...(["any", "read-write", "read-only"] as const),
  ...(["primary", "standby", "prefer-standby"] as const),
];

const text =
  (key: keyof Settings): Reader =>
  ({ value }) =>
    value === "" ? {} : { [key]: value };
const refusedBecause =
  (why: string): Reader =>
  (parameter) => {
    throw parameterRefused(parameter, why);
  };
/** Of these values only the harmless ones: they ask for nothing that we can't do. */
const harmless =
  (values: readonly string[], why: string): Reader =>
  (parameter) => {
    if (!values.includes(parameter.value)) throw parameterRefused(parameter, why);
    return {};
  };
const noFiles = "no file but certificates is read here; give its contents as parameters";
const noCache = "it is a setting of pgx's own statement cache";
const noKerberos = "the client library has no Kerberos";
const byKernel =
  "Node.js sets only the first delay (keepalives_idle); set net.ipv4.tcp_keepalive_* for the host";

const readers: Readonly<Record<string, Reader>> = {
  user: text("user"),
  password: text("password"),
  dbname: text("database"),
  database: text("database"),
  application_name: text("applicationName"),
  fallback_application_name: () => ({}), // read with application_name
  client_encoding: ({ value }) => (value === "" || value === "auto" ? {} : { charsets: [value] }),
  options: text("serverOptions"),
  connect_timeout: (parameter) => {
    const seconds = wholeNumber(parameter, -MAX_SECONDS, MAX_SECONDS);
    return seconds <= 0 ? {} : { connectTimeoutMs: Math.max(2, seconds) * 1_000 }; // libpq waits at least 2 s
  },
  keepalives: (parameter) => ({ keepAlive: wholeNumber(parameter, 0, 1) === 1 }),
  keepalives_idle: (parameter) => {
    const seconds = wholeNumber(parameter, 0, MAX_SECONDS);
    return seconds === 0 ? {} : { keepAliveDelayMs: seconds * 1_000 };
  },
  tcp_user_timeout: (parameter) => {
    const ms = wholeNumber(parameter, 0, MAX_SECONDS * 1_000);
    return ms === 0 ? {} : { writeTimeoutMs: ms };
  },
  target_session_attrs: (parameter) => {
    const role = roles.find((each) => each === parameter.value);
    if (role === undefined) throw parameterError(parameter, `one of ${roles.join(", ")}`);
    return { serverRole: role };
  },
  load_balance_hosts: (parameter) => {
    if (parameter.value === "random") return { shuffleEndpoints: true };
    if (parameter.value === "disable") return {};
    throw parameterError(parameter, '"disable" or "random"');
  },
  keepalives_interval: refusedBecause(byKernel),
  keepalives_count: refusedBecause(byKernel),
  passfile: refusedBecause(noFiles),
  service: refusedBecause(noFiles),
  servicefile: refusedBecause(noFiles),
  gssencmode: harmless(["disable", "prefer"], noKerberos),
  krbsrvname: refusedBecause(noKerberos),
  gsslib: refusedBecause(noKerberos),
  gssdelegation: harmless(["0"], noKerberos),
  channel_binding: harmless(["disable", "prefer"], "the client library can't insist on channel binding"),
  require_auth: refusedBecause("the client library can't refuse an authentication that the server asks for"),
  requirepeer: refusedBecause("Node.js does not tell who owns a Unix socket's other end"),
  replication: harmless(["false", "0", "off", "no"], "a replication connection runs no ordinary statements"),
  statement_cache_capacity: refusedBecause(noCache),
  description_cache_capacity: refusedBecause(noCache),
  default_query_exec_mode: refusedBecause(noCache),
  pool_health_check_period: refusedBecause("the pool looks when something is due, not from time to time"),
  pool_max_conn_lifetime_jitter: refusedBecause("set the pool's lifetimeFuzz, a part of the lifetime"),
};

const poolReaders: Readonly<Record<string, (parameter: Parameter) => PoolLimits>> = {
  pool_max_conns: (parameter) => ({ max: wholeNumber(parameter, 1, 2 ** 31 - 1) }),
  pool_min_conns: (parameter) => ({ min: wholeNumber(parameter, 0, 2 ** 31 - 1) }),
  pool_max_conn_lifetime: (parameter) => ({ maxLifetimeMs: lifetime(parameter) }),
  pool_max_conn_idle_time: (parameter) => ({ maxIdleTimeMs: lifetime(parameter) }),
};

const known = [
  ...["host", "hostaddr", "port", ...tlsNames],
  ...Object.keys(readers),
  ...Object.keys(poolReaders),
];

/** The settings of a list of parameters; of a repeated name the last counts. */
export function postgresSettings(key: string, parameters: readonly Parameter[]): SqlSettings {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  let settings: Settings = {};
  let pool: PoolLimits = {};
  const sessionVariables: Record<string, string> = {};
  for (const parameter of byName.values()) {
    const { name } = parameter;
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    const poolReader = Object.hasOwn(poolReaders, name) ? poolReaders[name] : undefined;
    if (reader !== undefined) settings = { ...settings, ...reader(parameter) };
    else if (poolReader !== undefined) pool = { ...pool, ...poolReader(parameter) };
    else if (!known.includes(name)) sessionVariables[variableName(key, parameter)] = parameter.value;
  }
  return given<SqlSettings>({
    ...settings,
    system: "postgres",
    endpoints: endpointsOf(key, byName),
    applicationName:
      settings.applicationName ?? (byName.get("fallback_application_name")?.value || undefined),
    tls: postgresTls(byName),
    sessionVariables: Object.keys(sessionVariables).length > 0 ? sessionVariables : undefined,
    pool: Object.keys(pool).length > 0 ? pool : undefined,
  });
}

function endpointsOf(key: string, byName: ReadonlyMap<string, Parameter>): Endpoint[] {
  const list = (name: string): string[] => {
    const value = byName.get(name)?.value ?? "";
    return value === "" ? [] : value.split(",");
  };
  const [names, addresses, ports] = [list("host"), list("hostaddr"), list("port")];
  const count = Math.max(names.length, addresses.length, 1);
  if (names.length > 0 && addresses.length > 0 && names.length !== addresses.length) {
    throw textError(key, `it has ${names.length} in "host" but ${addresses.length} in "hostaddr"`);
  }
  if (ports.length > 1 && ports.length !== count) {
    throw textError(key, `it has ${count} host${count === 1 ? "" : "s"} but ${ports.length} ports`);
  }
  return Array.from({ length: count }, (_, i) => {
    const written = (ports.length === 1 ? ports[0] : ports[i]) ?? "";
    const port = written === "" ? DEFAULT_PORT : portOf(written);
    if (port === undefined) {
      const { hidden } = byName.get("port") as Parameter;
      throw parameterError({ name: "port", value: written, hidden }, "a whole number from 1 to 65535");
    }
    const name = names[i] || "localhost";
    // A directory, or a name in the abstract namespace: PostgreSQL's own file name follows.
    if (/^[/@]/.test(name)) return { host: "", port: 0, path: `${name}/.s.PGSQL.${port}` };
    const address = addresses[i];
    if (!address) return { host: name, port };
    return { host: address, port, ...(names[i] ? { serverName: name } : {}) };
  });
}

/** PostgreSQL would refuse every connection with a misspelt variable: said before the dial. */
function variableName(key: string, parameter: Parameter): string {
  const { name } = parameter;
  const near = didYouMean(name, known);
  if (near !== "" || !/^[a-z_][\w.]{0,63}$/i.test(name)) throw unknownParameter(key, parameter, known);
  return name;
}

function lifetime(parameter: Parameter): number {
  const ms = parseGoDuration(parameter.value);
  if (ms === undefined) throw parameterError(parameter, 'a duration with a unit, like "30m" or "1h30m"');
  return ms <= 0 ? Number.POSITIVE_INFINITY : ms;
}
