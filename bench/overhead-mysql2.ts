/** `SELECT 1` through our pool, beside the bare connection and the library's own pool. */
import { createPool as createBarePool, createConnection } from "mysql2/promise";
import { createPool } from "../src/drivers/mysql2/promise.ts";
import type { Contender, Opened } from "./contender.ts";

/** All against one server in another process, at their defaults. */
export async function mysql2Contenders(port: number): Promise<Opened> {
  const options = { host: "127.0.0.1", port, user: "holdfast", database: "test" };
  const connection = await createConnection(options);
  const bare = createBarePool(options);
  const own = createPool(options);
  const contender = (name: string, from: { query(sql: string): Promise<unknown> }): Contender => ({
    name,
    one: () => from.query("SELECT 1"),
    many: (count: number) => Promise.all(Array.from({ length: count }, () => from.query("SELECT 1"))),
  });
  return {
    contenders: [
      contender("mysql2, one connection", connection),
      contender("mysql2's pool, 10 connections", bare),
      contender("holdfast/mysql2's pool, 10 connections", own),
    ],
    end: async () => {
      await connection.end();
      await bare.end();
      await own.end();
    },
  };
}
