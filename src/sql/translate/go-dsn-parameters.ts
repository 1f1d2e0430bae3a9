/** The parameters of a Go MySQL DSN. A name that Go does not know is a session variable, as in Go. */
import { didYouMean, parseGoDuration } from "../../options/index.ts";
import type { SqlSettings, SqlTls } from "./settings.ts";
import {
  given,
  goBoolean,
  goTimeout,
  type Parameter,
  parameterError,
  parameterRefused,
  textError,
  unescapeText,
  unknownParameter,
  wholeNumber,
} from "./text.ts";

export type TlsConfigs = Readonly<Record<string, object>>;

/** `fallback` belongs to `tls`, which may stand before or after it. */
type Settings = Partial<SqlSettings> & { readonly fallback?: boolean };
type Reader = (parameter: Parameter, configs: TlsConfigs) => Settings;

const GO_MAX_ALLOWED_PACKET = 64 << 20;

const flag =
  (key: keyof Settings): Reader =>
  (parameter) => ({ [key]: goBoolean(parameter) });
const timeout =
  (key: keyof Settings): Reader =>
  (parameter) => ({ [key]: goTimeout(parameter) });
/** A switch of which one position only can be honoured. */
const only =
  (position: boolean, why: string): Reader =>
  (parameter) => {
    if (goBoolean(parameter) !== position) throw parameterRefused(parameter, why);
    return {};
  };
const unescaped = (parameter: Parameter): string =>
  unescapeText("dsn", parameter.name, parameter.value, true);

const readers: Readonly<Record<string, Reader>> = {
  allowAllFiles: only(false, "LOAD DATA LOCAL needs a stream that the program opens (infileStreamFactory)"),
  allowCleartextPasswords: flag("cleartextPassword"),
  allowFallbackToPlaintext: (parameter) => ({ fallback: goBoolean(parameter) }),
  allowNativePasswords: only(true, "the client library can't be told to refuse mysql_native_password"),
  allowOldPasswords: only(false, "the authentication of MySQL before 4.1 can be forged"),
  charset: (parameter) => ({ charsets: parameter.value.split(",").filter((name) => name !== "") }),
  checkConnLiveness: (parameter) =>
    goBoolean(parameter) ? {} : { pool: { validateAfterIdleMs: Number.POSITIVE_INFINITY } },
  clientFoundRows: flag("countFoundRows"),
  collation: ({ value }) => ({ collation: value }),
  columnsWithAlias: flag("tableInNames"),
  compress: flag("compress"),
  connectionAttributes: (parameter) => ({ connectionAttributes: attributes(parameter) }),
  // Here the call says it: `query` fills placeholders in, `execute` leaves them to the server.
  interpolateParams: (parameter) => {
    goBoolean(parameter);
    return {};
  },
  loc: (parameter) => ({ timeZone: zone(parameter) }),
  maxAllowedPacket: (parameter) => {
    const bytes = wholeNumber(parameter, 0, 2 ** 31 - 1);
    if (bytes === 0 || bytes === GO_MAX_ALLOWED_PACKET) return {};
    throw parameterRefused(parameter, "the server's own max_allowed_packet is the limit; leave it out");
  },
  multiStatements: flag("multipleStatements"),
  parseTime: (parameter) => ({ dates: goBoolean(parameter) ? "objects" : "text" }),
  readTimeout: timeout("readTimeoutMs"),
  rejectReadOnly: flag("rejectReadOnly"),
  serverPubKey: (parameter) => {
    throw parameterRefused(parameter, "keys are registered in Go; the server's key is asked for, over TLS");
  },
  strict: (parameter) => {
    throw parameterRefused(parameter, "Go's driver has removed it; set sql_mode instead");
  },
  timeTruncate: (parameter) => {
    const ms = parseGoDuration(parameter.value);
    if (ms === undefined) throw parameterError(parameter, 'a duration with a unit, like "1ms"');
    if (ms > 1)
      throw parameterRefused(parameter, "dates have milliseconds here, and are sent with all of them");
    return {};
  },
  timeout: timeout("connectTimeoutMs"),
  tls: (parameter, configs) => ({ tls: tlsOf(parameter, configs) }),
  writeTimeout: timeout("writeTimeoutMs"),
};

const known = Object.keys(readers);
const preferred: SqlTls = { verify: "none", fallback: "plain" };

/** What Go does where the DSN is silent, and the client library would do otherwise. */
const goDefaults: Partial<SqlSettings> = { dates: "text", timeZone: "UTC", countFoundRows: false };

export function goDsnParameters(parameters: readonly Parameter[], configs: TlsConfigs): Partial<SqlSettings> {
  let settings: Settings = goDefaults;
  const sessionVariables: Record<string, string> = {};
  for (const parameter of parameters) {
    const reader = Object.hasOwn(readers, parameter.name) ? readers[parameter.name] : undefined;
    if (reader !== undefined) settings = { ...settings, ...reader(parameter, configs) };
    else sessionVariables[variableName(parameter)] = unescaped(parameter);
  }
  const { fallback, ...rest } = settings;
  return given<Partial<SqlSettings>>({
    ...rest,
    tls: rest.tls && fallback ? { ...rest.tls, fallback: "plain" } : rest.tls,
    sessionVariables: Object.keys(sessionVariables).length > 0 ? sessionVariables : undefined,
  });
}

/** Go would send `parsetime` to the server as a variable, which then refuses every connection: said before the dial. */
function variableName(parameter: Parameter): string {
  const { name } = parameter;
  const misspelt = known.some((each) => each.toLowerCase() === name.toLowerCase());
  if (misspelt || !/^@{0,2}[a-z_][\w.$]{0,63}$/i.test(name)) throw unknownParameter("dsn", parameter, known);
  return name;
}

function attributes(parameter: Parameter): Record<string, string> {
  const pairs = unescaped(parameter)
    .split(",")
    .filter((pair) => pair !== "")
    .map((pair) => /^([^:]+):(.*)$/s.exec(pair));
  if (pairs.includes(null)) throw parameterError(parameter, 'a list like "name:value,name:value"');
  return Object.fromEntries(pairs.map((match) => [match?.[1] as string, match?.[2] as string]));
}

/** Go's names: `Local`, `UTC`, the empty name for UTC, or one of the time zone database. */
function zone(parameter: Parameter): string {
  const name = unescaped(parameter);
  if (name === "Local") return "local";
  if (name === "" || name === "UTC") return "UTC";
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
  } catch {
    throw parameterError(parameter, '"Local", "UTC" or the name of a time zone, such as "Europe/Paris"');
  }
  return name;
}

function tlsOf(parameter: Parameter, configs: TlsConfigs): SqlTls | false {
  const name = unescaped(parameter);
  switch (name.toLowerCase()) {
    case "1":
    case "true":
      return { verify: "full" };
    case "0":
    case "false":
    case "":
      return false;
    case "skip-verify":
      return { verify: "none" };
    case "preferred":
      return preferred;
  }
  const config = Object.hasOwn(configs, name) ? configs[name] : undefined;
  if (config !== undefined) return { verify: "full", config };
  const names = Object.keys(configs);
  const registered = names.length === 0 ? "" : ` or one of ${names.join(", ")}`;
  if (parameter.hidden) throw textError("dsn", "its tls parameter is unknown");
  throw parameterError(
    parameter,
    `true, false, skip-verify, preferred${registered}${didYouMean(name, names)}`,
  );
}
