/**
 * The DSN of Go's MySQL driver (go-sql-driver/mysql), which gorm's MySQL dialect takes as it is:
 *
 * ```
 * [user[:password]@][net[(address)]]/database[?name=value&…]
 * user:password@/dbname?charset=utf8&parseTime=True&loc=Local
 * user:pass/word@tcp([::1]:3307)/db?timeout=5s
 * user@unix(/run/mysqld/mysqld.sock)/db
 * ```
 *
 * The password is taken as it stands, up to the last `@` before the last `/`; the database and the parameters are
 * percent-decoded. Beyond Go's rules: `[::1]` needs no port, and an empty text is refused, because it is more often a
 * missing variable than a wish for the defaults.
 */
import type { Endpoint } from "../../endpoint/index.ts";
import { fromGoLimits, type GoPoolLimits } from "../../pool/index.ts";
import { goDsnParameters, type TlsConfigs } from "./go-dsn-parameters.ts";
import type { SqlSettings } from "./settings.ts";
import { type Parameter, portOf, readText, splitHostPort, textError, unescapeText } from "./text.ts";

const DEFAULT_PORT = 3_306;
const DEFAULT_SOCKET = "/tmp/mysql.sock";

export interface GoMysqlDsnOptions {
  /** What `tls=<name>` may name, as Go's `RegisterTLSConfig`: options of `node:tls`. */
  readonly tlsConfigs?: TlsConfigs;
  /** What the program sets on its `sql.DB`. Left out: the settings have no pool limits. */
  readonly limits?: GoPoolLimits;
}

/** Translates a Go MySQL DSN. @throws `HF_OPTION`; no message holds a user name or password */
export function fromGoMysqlDsn(dsn: string, options: GoMysqlDsnOptions = {}): SqlSettings {
  const text = readText("dsn", dsn);
  if (text === "") throw textError("dsn", "it is empty");
  const slash = text.lastIndexOf("/");
  if (slash < 0) throw textError("dsn", 'it needs a "/" before the database, also where that is left out');
  const [rawDatabase, query] = cut(text.slice(slash + 1), "?");
  const left = text.slice(0, slash);
  const at = left.lastIndexOf("@");
  const [user, password] = at < 0 ? [undefined, undefined] : cut(left.slice(0, at), ":");
  const database = unescapeText("dsn", "database", rawDatabase);
  return {
    system: "mysql",
    endpoints: [endpointOf(left.slice(at + 1))],
    ...(user ? { user } : {}),
    ...(password ? { password } : {}),
    ...(database === "" ? {} : { database }),
    ...goDsnParameters(parametersOf(query ?? ""), options.tlsConfigs ?? {}),
    ...(options.limits === undefined ? {} : { pool: fromGoLimits(options.limits) }),
  };
}

function endpointOf(text: string): Endpoint {
  const open = text.indexOf("(");
  if (open >= 0 && !text.endsWith(")")) {
    const why = text.includes(")")
      ? 'a "/" in the value of a parameter must be written %2F'
      : 'the address has no closing ")"';
    throw textError("dsn", why);
  }
  const network = open < 0 ? text : text.slice(0, open);
  const address = open < 0 ? "" : text.slice(open + 1, -1);
  if (network === "unix") return { host: "", port: 0, path: address || DEFAULT_SOCKET };
  if (!["", "tcp", "tcp4", "tcp6"].includes(network)) {
    // Without an "@" the user and password stand where the network should: it is not repeated.
    throw textError(
      "dsn",
      'its network must be "tcp", "tcp4", "tcp6" or "unix"; is an "@" missing, or a "/" not written %2F?',
    );
  }
  if (address === "") return { host: "127.0.0.1", port: DEFAULT_PORT };
  const split = splitHostPort(address);
  const port = split?.port === undefined ? DEFAULT_PORT : portOf(split.port);
  if (split === undefined || port === undefined) {
    throw textError(
      "dsn",
      'its address must be "host:port" or "[address]:port", with a port from 1 to 65535',
    );
  }
  return { host: split.host || "localhost", port };
}

function parametersOf(query: string): Parameter[] {
  // An "@" here belongs to a password that holds a "/" and a "?": nothing of it may be shown.
  const hidden = query.includes("@");
  return query.split("&").flatMap((pair) => {
    const [name, value] = cut(pair, "=");
    return value === undefined ? [] : [{ name, value, hidden }]; // Go, too, ignores what has no "="
  });
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
