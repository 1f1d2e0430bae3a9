/** What the table says about one kind of server. A new server is one object of this shape. */
import type { Identity } from "./identity.ts";
import type { SqlRow } from "./sql-wire.ts";

/** Where a server program can come from when it is not on PATH, in the order in which they are tried. */
export type Source =
  /** A Debian package, unpacked into the cache (with the libraries it lacks) or installed. */
  | { readonly kind: "debian"; readonly package: string }
  /**
   * A program inside an npm package; `program` is its path under `node_modules`. `links` is the path, in the package,
   * of a list of the symbolic links that npm can't carry: they are made in the cache.
   */
  | {
      readonly kind: "npm";
      readonly package: string;
      readonly version: string;
      readonly program: string;
      readonly links?: string;
    }
  /** A Go main package, built by the `go` command. */
  | { readonly kind: "go"; readonly module: string; readonly version: string }
  /** A Java program; its jars are copied together and `mainClass` is run from them. */
  | { readonly kind: "maven"; readonly artifact: string; readonly mainClass: string }
  /** A native program that a Java artifact carries in a `.tar.gz`; `program` is its path in there. */
  | { readonly kind: "jar"; readonly artifact: string; readonly archive: string; readonly program: string };

/** Where a program was found, and what it needs to run. */
export interface Program {
  readonly file: string;
  /** Arguments that come before the server's own (a Java program's class path). */
  readonly leadingArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly from: "PATH" | "cache";
}

export interface ServerOptions {
  /**
   * The server's own settings, over the harness's defaults: Redis directives, top-level keys of nats-server,
   * variables of MariaDB and PostgreSQL.
   */
  readonly config?: Readonly<Record<string, string | number>>;
  /** Ask clients for this password. */
  readonly password?: string;
  /**
   * Acknowledge only what survives `kill -9` (Redis: `appendfsync always`; NATS: JetStream on disk, in the kernel's
   * hands before the PubAck leaves; MariaDB and PostgreSQL always do, and sync to disk).
   */
  readonly durable?: boolean;
  /** Listen for WebSocket clients too (NATS only), with TLS where files are given. */
  readonly websocket?: { readonly port: number; readonly certFile?: string; readonly keyFile?: string };
  /**
   * Follow this server (Redis, MariaDB, PostgreSQL); ready once the first synchronization is done. For the two SQL servers
   * use `SqlPair`, which starts both with what replication needs.
   */
  readonly replicaOf?: Leader;
  /** Speak TLS with this certificate and key, in PEM (MariaDB, PostgreSQL). Plain connections go on unless `only`. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly only?: boolean };
}

/** Whom a replica follows; every `RunningServer` is one. */
export interface Leader {
  readonly host: string;
  readonly port: number;
  readonly password?: string | undefined;
  /** Where its data and its Unix socket are (PostgreSQL, MariaDB). */
  readonly directory?: string;
}

/** How one kind of SQL server leads and follows. All questions are asked as the administrator. */
export interface Replication {
  /** Settings that leader and follower both need. `member` is 1 or 2. */
  settings(member: number): Readonly<Record<string, string | number>>;
  /** Forgets what a stopped server holds: its next start is that of a new one. */
  forget(launch: Launch): Promise<void>;
  /** From now on a write is acknowledged only once the follower has it; or, again, without waiting. */
  synchronous(leader: Launch, on: boolean): Promise<void>;
  /** How far the leader's log of changes goes, in the server's own words. */
  end(leader: Launch): Promise<string>;
  /** True when the follower receives and has applied everything up to there. */
  reached(follower: Launch, leader: Launch, end: string): Promise<boolean>;
  /** The follower applies what it has received, follows nobody any more, and takes writes. */
  promote(follower: Launch): Promise<void>;
}

/** One start of a server: fixed for all its restarts. */
export interface Launch {
  readonly host: string;
  readonly port: number;
  /** The server's own directory: configuration, data, log. */
  readonly directory: string;
  readonly options: ServerOptions;
}

/** How one kind of SQL server is administered. */
export interface SqlDialect {
  /** Runs statements as the administrator, over a connection of its own that no client sees. */
  query(launch: Launch, statements: readonly string[]): Promise<SqlRow[]>;
  readonly changePassword: (quoted: string) => string;
  /** The client's sessions, with columns `id` and `doing`. */
  readonly sessions: string;
  readonly kill: (id: number) => string;
  readonly readOnly: (on: boolean) => readonly string[];
}

export interface ServerEntry {
  readonly name: string;
  /** The program's name on PATH. */
  readonly program: string;
  /** How to get the program, best way first. */
  readonly sources: readonly Source[];
  /** Only what was fetched counts, not a program of that name on PATH: another version is there for its own sake. */
  readonly onlyFetched?: true;
  /** Where this tool is not on PATH nobody can ask for the server: missing is then no failure, also with CI=true. */
  readonly requires?: string;
  /** Nobody has to have it: missing is no failure, also with CI=true. */
  readonly optional?: true;
  /** How long a start may take before it counts as failed. */
  readonly readyDeadlineMs: number;
  /** Settings of `ServerOptions` that this server knows; any other is refused. */
  readonly supports: readonly (keyof ServerOptions)[];
  /** Folders beyond PATH in which the program may be, under `root` (`/` or an unpacked package); best first. */
  folders?(root: string): Promise<readonly string[]>;
  /** The user that must run it, when this process may not (PostgreSQL refuses root); `undefined`: this process's own. */
  identity?(): Promise<Identity | undefined>;
  /** Asks for a graceful stop that does not wait for clients. Default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Ends it at once, but lets it give back what the kernel would keep. Default: SIGKILL. */
  readonly disposeSignal?: NodeJS.Signals;
  /** Its child processes leave its process group: signals go to them one by one. */
  readonly childrenApart?: boolean;
  /** How to administer it, where it speaks SQL. */
  readonly sql?: SqlDialect;
  /** How it replicates, where the lab can set that up. */
  readonly replication?: Replication;
  /** Writes configuration files into `launch.directory`; runs before every start. */
  configure(launch: Launch, program: Program): Promise<void>;
  /** The command line, after the program. */
  args(launch: Launch, program: Program): readonly string[];
  /** Resolves with the server's version once it serves; rejects while it does not (asked again until the deadline). */
  ready(launch: Launch, pid: number): Promise<{ readonly version: string }>;
  /** What a client connects to. */
  url(launch: Launch): string;
  /** How a running server reads its changed configuration: a signal, and what its log says when it is in force. */
  readonly reload?: { readonly signal: NodeJS.Signals; readonly says: RegExp };
}
