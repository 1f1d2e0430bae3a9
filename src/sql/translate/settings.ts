import type { Endpoint } from "../../endpoint/index.ts";
import type { PoolLimits } from "../../pool/index.ts";

export type SqlSystem = "mysql" | "postgres";

/** When to speak TLS, and what to believe. */
export interface SqlTls {
  /** `full`: a trusted certificate in the host's name; `ca`: a trusted certificate; `none`: any. */
  readonly verify: "full" | "ca" | "none";
  /** What to do where the server has no TLS (`plain`: go on without), or asks for it (`tls`: start without). */
  readonly fallback?: "plain" | "tls";
  /** Files in PEM; the library's default where they are left out. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly keyPassword?: string;
  readonly minVersion?: string;
  readonly maxVersion?: string;
  /** What the caller registered under the name that the DSN gives. */
  readonly config?: object;
}

/** Which servers of several will do. */
export type SqlServerRole = "any" | "read-write" | "read-only" | "primary" | "standby" | "prefer-standby";

/**
 * What every spelling of a SQL connection's settings is translated into: the one shape the drivers know. What is left
 * out has the driver's default.
 */
export interface SqlSettings {
  readonly system: SqlSystem;
  /** At least one, in the order given. */
  readonly endpoints: readonly Endpoint[];
  /** Any order will do, a different one for each pool. */
  readonly shuffleEndpoints?: boolean;
  readonly serverRole?: SqlServerRole;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly applicationName?: string;
  readonly tls?: SqlTls | false;
  /** Candidates, best first. */
  readonly charsets?: readonly string[];
  readonly collation?: string;
  /** The zone in which dates without one are read and written: `"UTC"`, `"local"`, `"+09:00"` or `"Asia/Tokyo"`. */
  readonly timeZone?: string;
  /** Dates as objects, or as the server writes them. */
  readonly dates?: "objects" | "text";
  readonly connectTimeoutMs?: number;
  /** How long nothing may be received while a statement runs. */
  readonly readTimeoutMs?: number;
  /** How long what was sent may stay unacknowledged. */
  readonly writeTimeoutMs?: number;
  readonly keepAlive?: boolean;
  readonly keepAliveDelayMs?: number;
  readonly compress?: boolean;
  readonly multipleStatements?: boolean;
  /** Count the rows a statement found, not only those it changed. */
  readonly countFoundRows?: boolean;
  /** Column names with their table's alias before them. */
  readonly tableInNames?: boolean;
  readonly cleartextPassword?: boolean;
  readonly connectionAttributes?: Readonly<Record<string, string>>;
  /** A connection on which a write was refused as read-only is of no use. */
  readonly rejectReadOnly?: boolean;
  /** The server's command-line options for each session (PostgreSQL's `options`). */
  readonly serverOptions?: string;
  /** Set at each connect, in this order. MySQL: the value is an expression; PostgreSQL: it is the text itself. */
  readonly sessionVariables?: Readonly<Record<string, string>>;
  readonly pool?: PoolLimits;
}
