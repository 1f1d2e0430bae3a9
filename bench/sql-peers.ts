/** Pools of SQL clients, each behind the same two statements. */
import { createPool as createMariadbPool } from "mariadb";
import { createPool as createBarePool } from "mysql2/promise";
import pg from "pg";
import { createPool } from "../src/drivers/mysql2/promise.ts";
import { Pool } from "../src/drivers/pg/index.ts";
import { type RunningServer, SQL_USER } from "../src/lab/index.ts";

export interface SqlClient {
  read(): Promise<unknown>;
  write(id: number): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface SqlPeer {
  readonly name: string;
  readonly own: boolean;
  readonly server: "mariadb" | "postgres";
  /** Run by the administrator: the table and the right to use it. */
  readonly tables: readonly string[];
  open(server: RunningServer): Promise<SqlClient>;
}

const POOL = 10;

const mysqlTables = [
  "CREATE DATABASE outage",
  "CREATE TABLE outage.written (id INT NOT NULL, KEY (id))",
  `GRANT ALL ON outage.* TO ${SQL_USER}@'%'`,
];
const postgresTables = [
  "CREATE SCHEMA outage",
  "CREATE TABLE outage.written (id INT NOT NULL)",
  `GRANT ALL ON SCHEMA outage TO ${SQL_USER}`,
  `GRANT ALL ON outage.written TO ${SQL_USER}`,
];

const READ = "SELECT COUNT(*) AS n FROM outage.written WHERE id = 1";

interface MysqlLike {
  query(sql: string, values?: unknown[]): Promise<unknown>;
  end(): Promise<unknown>;
}

function mysqlClient(pool: MysqlLike): SqlClient {
  return {
    read: () => pool.query(READ),
    write: (id) => pool.query("INSERT INTO outage.written (id) VALUES (?)", [id]),
    close: () => pool.end(),
  };
}

interface PgLike {
  query(sql: string, values?: unknown[]): Promise<unknown>;
  end(): Promise<unknown>;
  on(event: "error", listener: () => void): unknown;
}

function pgClient(pool: PgLike): SqlClient {
  pool.on("error", () => {});
  return {
    read: () => pool.query(READ),
    write: (id) => pool.query("INSERT INTO outage.written (id) VALUES ($1)", [id]),
    close: () => pool.end(),
  };
}

const mysql = { server: "mariadb", tables: mysqlTables } as const;
const postgres = { server: "postgres", tables: postgresTables } as const;
const credentials = ({ port, password = "" }: RunningServer) => ({
  host: "127.0.0.1",
  port,
  user: SQL_USER,
  password,
});

export const sqlPeers: readonly SqlPeer[] = [
  {
    ...{ ...mysql, name: "mysql2", own: false },
    open: async (server) =>
      mysqlClient(createBarePool({ ...credentials(server), connectionLimit: POOL }) as unknown as MysqlLike),
  },
  {
    ...{ ...mysql, name: "mariadb", own: false },
    open: async (server) => mysqlClient(createMariadbPool({ ...credentials(server), connectionLimit: POOL })),
  },
  {
    ...{ ...mysql, name: "holdfast/mysql2", own: true },
    open: async (server) =>
      mysqlClient(createPool({ ...credentials(server), connectionLimit: POOL }) as unknown as MysqlLike),
  },
  {
    ...{ ...postgres, name: "pg", own: false },
    open: async (server) => pgClient(new pg.Pool({ ...credentials(server), database: "test", max: POOL })),
  },
  {
    ...{ ...postgres, name: "holdfast/pg", own: true },
    open: async (server) => pgClient(new Pool({ ...credentials(server), database: "test", max: POOL })),
  },
];
