/** PostgreSQL as leader and follower: a base backup over SQL, streaming, promotion. No pg_basebackup is needed. */
import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { own } from "./data.ts";
import type { Launch, Leader, Replication } from "./entry.ts";
import { powerlessIdentity } from "./identity.ts";
import { SQL_DATABASE } from "./sql-control.ts";
import { postgresQuery, postgresSession } from "./sql-postgres.ts";
import type { SqlRow } from "./sql-wire.ts";
import { until } from "./until.ts";

const ADMINISTRATOR = "postgres";
const BACKUP_DEADLINE_MS = 60_000;
const PROMOTE_DEADLINE_MS = 30_000;

/** Folders whose contents belong to the running server alone; the copy needs them empty. */
const emptied: ReadonlySet<string> = new Set([
  ...["pg_wal", "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp"],
  "pg_subtrans",
]);
/** Files that would make the copy take itself for its original. */
const leftOut = /^(postmaster\.(pid|opts)|(standby|recovery)\.signal|pg_internal\.init.*|pgsql_tmp.*)$/;

function socketOf(directory: string, port: number): string {
  return join(directory, `.s.PGSQL.${port}`);
}

function ask({ directory, port }: Launch, ...statements: readonly string[]): Promise<SqlRow[]> {
  return postgresQuery(socketOf(directory, port), ADMINISTRATOR, SQL_DATABASE, statements);
}

/**
 * Fills `data` with a copy of the running leader's, made between `pg_backup_start` and `pg_backup_stop`, that follows it
 * over its Unix socket: clients' connections can be counted without the replica's.
 */
export async function baseBackup(leader: Leader, data: string): Promise<void> {
  const { directory, port } = leader;
  if (directory === undefined) throw new Error("a standby needs to know its leader's directory");
  const backup = async (talk: (sql: string) => Promise<SqlRow[]>): Promise<void> => {
    const [place] = await talk("SHOW data_directory");
    await talk("SELECT pg_backup_start('lab', true)");
    await copyData(place?.data_directory as string, data);
    const [files] = await talk("SELECT labelfile, spcmapfile FROM pg_backup_stop(false)");
    await writeFile(join(data, "backup_label"), files?.labelfile ?? "");
    if (files?.spcmapfile) await writeFile(join(data, "tablespace_map"), files.spcmapfile);
  };
  const socket = socketOf(directory, port);
  await postgresSession(socket, ADMINISTRATOR, SQL_DATABASE, backup, BACKUP_DEADLINE_MS);
  await writeFile(join(data, "standby.signal"), "");
  // Over what the leader was told by ALTER SYSTEM: that was about the leader.
  const leaderAt = `host=${directory} port=${port} user=${ADMINISTRATOR} application_name=lab`;
  await writeFile(join(data, "postgresql.auto.conf"), `primary_conninfo = '${leaderAt}'\n`);
  const identity = await powerlessIdentity();
  if (identity !== undefined) await own(data, identity);
}

/** Files come and go in a running server's folder: what has gone is not part of the backup. */
async function copyData(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true }).catch(ifGone([]))) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (leftOut.test(entry.name)) continue;
    if (entry.isFile()) await copyFile(source, target).catch(ifGone(undefined));
    else if (emptied.has(entry.name)) await mkdir(target, { mode: 0o700 });
    else if (entry.isDirectory()) await copyData(source, target);
    else throw new Error(`${source} is neither file nor folder`);
  }
}

function ifGone<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT") return instead;
    throw error;
  };
}

export const postgresReplication: Replication = {
  // What the leader wrote since the backup began is still there when the follower asks for it.
  settings: () => ({
    ...{ wal_level: "replica", hot_standby: "on", max_wal_senders: 4, wal_keep_size: "64MB" },
    // A follower looks again for its leader soon after that was away; the default is 5 s.
    wal_retrieve_retry_interval: "100ms",
  }),

  async forget({ directory }) {
    await rm(join(directory, "data"), { recursive: true, force: true });
  },

  async synchronous(leader, on) {
    await ask(
      leader,
      `ALTER SYSTEM SET synchronous_standby_names = '${on ? "lab" : ""}'`,
      "SELECT pg_reload_conf()",
    );
    if (!on) return;
    await until("synchronous replication", PROMOTE_DEADLINE_MS, async () => {
      const [row] = await ask(leader, "SELECT sync_state FROM pg_stat_replication");
      return row?.sync_state === "sync";
    });
  },

  async end(leader) {
    const [row] = await ask(leader, "SELECT pg_current_wal_lsn() AS lsn");
    return row?.lsn as string;
  },

  async reached(follower, leader, end) {
    const look = `SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= '${end}' AS reached`;
    const [row] = await ask(follower, look);
    const streaming = "SELECT count(*) AS n FROM pg_stat_replication WHERE state = 'streaming'";
    const [streams] = await ask(leader, streaming);
    return row?.reached === "t" && streams?.n === "1";
  },

  async promote(follower) {
    await ask(follower, "SELECT pg_promote(false)");
    await until("promotion", PROMOTE_DEADLINE_MS, async () => {
      const [row] = await ask(follower, "SELECT pg_is_in_recovery() AS standby");
      return row?.standby === "f";
    });
  },
};
