import { existsSync, realpathSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runCommand, whyFailed } from "./command.ts";
import { freshData } from "./data.ts";
import type { Launch, ServerEntry } from "./entry.ts";
import { followStatements, mariadbReplication } from "./mariadb-replica.ts";
import { asRoot, flags, paths } from "./mysql-files.ts";
import { SQL_DATABASE, SQL_USER } from "./sql-control.ts";
import { mysqlQuery } from "./sql-mysql.ts";

/** Without a password, but only over the Unix socket, which lies in the server's own folder. */
const ADMINISTRATOR = "root";
const BOOTSTRAP_DEADLINE_MS = 60_000;

/** Small files and buffers: a server for a test starts in a fraction of a second. */
const small: Readonly<Record<string, string | number>> = {
  innodb_buffer_pool_size: "16M",
  innodb_log_file_size: "4M",
  innodb_temp_data_file_path: "ibtmp1:1M:autoextend",
  // Neither a kernel-wide limit of asynchronous I/O nor a container's filter of io_uring can fail a start.
  innodb_use_native_aio: "OFF",
  innodb_buffer_pool_dump_at_shutdown: "OFF",
  innodb_buffer_pool_load_at_startup: "OFF",
  aria_pagecache_buffer_size: "2M",
  key_buffer_size: "1M",
  open_files_limit: 1_024,
};

/** Where a program's messages, character sets and bootstrap statements are: beside it, wherever it was unpacked. */
function homeOf(file: string): { base: string; share: string } {
  const base = dirname(dirname(realpathSync(file)));
  const places = ["share/mysql", "share/mariadb", "share"].map((place) => join(base, place));
  const share = places.find((place) => existsSync(join(place, "mysql_system_tables.sql")));
  if (share === undefined) throw new Error(`no mysql_system_tables.sql in ${places.join(", ")}`);
  return { base, share };
}

function locations(file: string): string[] {
  const { base, share } = homeOf(file);
  return flags({ basedir: base, lc_messages_dir: share, character_sets_dir: join(share, "charsets") });
}

/** What mariadb-install-db does, without its shell script, which looks for a system's own paths. */
async function bootstrap(file: string, env: Readonly<Record<string, string>>, data: string): Promise<void> {
  const { share } = homeOf(file);
  const scripts = ["mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"];
  const texts = await Promise.all(scripts.map((name) => readFile(join(share, name), "utf8")));
  // One statement a line: that is all the bootstrap mode can read.
  const head =
    "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n";
  const { temporary } = paths(dirname(data));
  await mkdir(data);
  await mkdir(temporary);
  const args = ["--no-defaults", "--bootstrap", ...asRoot(), ...locations(file)];
  const result = await runCommand(file, [...args, ...flags({ ...small, datadir: data, tmpdir: temporary })], {
    deadlineMs: BOOTSTRAP_DEADLINE_MS,
    env,
    input: head + texts.join("\n"),
  });
  if (result.status !== 0) throw new Error(`mariadbd --bootstrap: ${whyFailed(result)}`);
}

/** Users and databases of a new server, one statement a line. The password is changed later by `SqlControl`. */
function firstStatements({ options }: Launch): string {
  if (options.replicaOf !== undefined) return followStatements(options.replicaOf);
  const password = `'${(options.password ?? "").replaceAll("'", "''")}'`;
  const databases = [SQL_DATABASE, `${SQL_DATABASE}2`];
  return [
    ...databases.map((name) => `CREATE DATABASE ${name};`),
    `CREATE USER ${SQL_USER}@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD(${password});`,
    // Not all rights: an administrator's would let it write while the server is read-only.
    `GRANT ALL ON \`${SQL_DATABASE}%\`.* TO ${SQL_USER}@'%';`,
    `CREATE USER ${ADMINISTRATOR}@'127.0.0.1' IDENTIFIED VIA mysql_native_password USING PASSWORD(${password});`,
    `GRANT ALL ON *.* TO ${ADMINISTRATOR}@'127.0.0.1' WITH GRANT OPTION;`,
    "",
  ].join("\n");
}

/**
 * MariaDB: databases `test` and `test2`, the user `holdfast` who owns both, and `root` from 127.0.0.1, both with the
 * password where one is asked for. What is committed is on disk.
 */
export const mariadb: ServerEntry = {
  name: "mariadb",
  program: "mariadbd",
  sources: [{ kind: "debian", package: "mariadb-server-core" }],
  readyDeadlineMs: 30_000,
  supports: ["config", "password", "durable", "tls", "replicaOf"],

  async configure(launch, program) {
    const path = paths(launch.directory);
    const fresh = !existsSync(path.data);
    if (fresh) {
      const recipe = JSON.stringify(small);
      await freshData("mariadb", program.file, recipe, path.data, undefined, (data) =>
        bootstrap(program.file, program.env, data),
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
    const { tls, config, replicaOf } = launch.options;
    return [
      "--no-defaults",
      ...asRoot(),
      ...locations(program.file),
      ...flags({
        ...small,
        datadir: path.data,
        tmpdir: path.temporary,
        socket: path.socket,
        pid_file: join(launch.directory, "mariadbd.pid"),
        bind_address: launch.host,
        port: launch.port,
        init_file: path.firstStart,
        innodb_flush_log_at_trx_commit: 1,
        sync_binlog: 1,
        character_set_server: "utf8mb4",
        skip_name_resolve: "ON",
        ...(tls === undefined ? {} : { ssl_cert: path.cert, ssl_key: path.key }),
        ...(tls?.only ? { require_secure_transport: "ON" } : {}),
        ...(replicaOf === undefined ? {} : { read_only: "ON" }),
        ...config,
      }),
    ];
  },

  async ready(launch) {
    const { socket } = paths(launch.directory);
    const [row] = await mysqlQuery(socket, ADMINISTRATOR, ["SELECT @@version AS version"]);
    return { version: row?.version ?? "unknown" };
  },

  url(launch) {
    const { password } = launch.options;
    const login = password === undefined ? SQL_USER : `${SQL_USER}:${encodeURIComponent(password)}`;
    return `mariadb://${login}@${launch.host}:${launch.port}/${SQL_DATABASE}`;
  },

  sql: {
    query: (launch, statements) =>
      mysqlQuery(paths(launch.directory).socket, ADMINISTRATOR, [`USE ${SQL_DATABASE}`, ...statements]),
    changePassword: (quoted) => `SET PASSWORD FOR ${SQL_USER}@'%' = PASSWORD(${quoted})`,
    sessions: `SELECT id, info AS doing FROM information_schema.processlist WHERE user = '${SQL_USER}'`,
    kill: (id) => `KILL CONNECTION ${id}`,
    readOnly: (on) => [`SET GLOBAL read_only = ${on ? "ON" : "OFF"}`],
  },
  replication: mariadbReplication,
};
