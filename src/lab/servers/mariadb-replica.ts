/** MariaDB as leader and follower: GTIDs, semi-synchronous where asked for, promotion. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Launch, Leader, Replication } from "./entry.ts";
import { mysqlQuery } from "./sql-mysql.ts";
import type { SqlRow } from "./sql-wire.ts";
import { until } from "./until.ts";

const ADMINISTRATOR = "root";
const APPLY_DEADLINE_MS = 30_000;
/** Semi-synchronous replication must not turn asynchronous by itself: a test would not notice. */
const NEVER_MS = 3_600_000;

function ask({ directory }: Launch, ...statements: readonly string[]): Promise<SqlRow[]> {
  return mysqlQuery(join(directory, "sql.sock"), ADMINISTRATOR, statements);
}

/** Statements, one a line, of a new server's first start as a follower: users and data come from the leader. */
export function followStatements({ host, port, password }: Leader): string {
  const login = `MASTER_USER='${ADMINISTRATOR}', MASTER_PASSWORD='${(password ?? "").replaceAll("'", "''")}'`;
  const where = `MASTER_HOST='${host}', MASTER_PORT=${port}, ${login}`;
  return `CHANGE MASTER TO ${where}, MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1;\nSTART SLAVE;\n`;
}

async function status(follower: Launch): Promise<SqlRow> {
  const [row] = await ask(follower, "SHOW SLAVE STATUS");
  if (row === undefined) throw new Error("it follows nobody");
  for (const key of ["Last_IO_Error", "Last_SQL_Error"]) if (row[key]) throw new Error(`${key}: ${row[key]}`);
  return row;
}

export const mariadbReplication: Replication = {
  settings: (member) => ({
    server_id: member,
    log_bin: "binlog",
    binlog_format: "ROW",
    log_slave_updates: "ON",
    gtid_strict_mode: "ON",
    // What is committed is in the kernel's hands, so that a kill -9 loses nothing. With a sync to disk for each, the one
    // thread that applies would never keep up with the many that write.
    sync_binlog: 0,
    innodb_flush_log_at_trx_commit: 2,
    rpl_semi_sync_slave_enabled: "ON",
    rpl_semi_sync_master_timeout: NEVER_MS,
    rpl_semi_sync_master_wait_point: "AFTER_SYNC",
  }),

  async forget({ directory }) {
    await rm(join(directory, "data"), { recursive: true, force: true });
  },

  async synchronous(leader, on) {
    await ask(leader, `SET GLOBAL rpl_semi_sync_master_enabled = ${on ? "ON" : "OFF"}`);
    if (!on) return;
    await until("semi-synchronous replication", APPLY_DEADLINE_MS, async () => {
      const [row] = await ask(leader, "SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'");
      return row?.Value === "1";
    });
  },

  async end(leader) {
    const [row] = await ask(leader, "SELECT @@gtid_binlog_pos AS pos");
    return row?.pos ?? "";
  },

  async reached(follower, _leader, end) {
    const { Slave_IO_Running: io, Slave_SQL_Running: sql } = await status(follower);
    const [row] = await ask(follower, `SELECT MASTER_GTID_WAIT('${end}', 0) AS failed`);
    return io === "Yes" && sql === "Yes" && row?.failed === "0";
  },

  async promote(follower) {
    await ask(follower, "STOP SLAVE IO_THREAD");
    await until("everything received to be applied", APPLY_DEADLINE_MS, async () => {
      const [row] = await ask(follower, "SHOW SLAVE STATUS");
      if (row?.Last_SQL_Error) throw new Error(row.Last_SQL_Error);
      const [reached] = await ask(follower, "SELECT @@gtid_slave_pos AS pos");
      return row?.Gtid_IO_Pos === reached?.pos;
    });
    await ask(follower, "STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = OFF");
  },
};
