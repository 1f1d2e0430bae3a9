/** `SELECT 1` through a pool of mysql2 and through ours. */
import { createPool as createBarePool } from "mysql2/promise";
import { createPool } from "../src/drivers/mysql2/promise.ts";

/** The two, against one server in another process, at their defaults. */
export function mysql2Contenders(port: number) {
  const options = { host: "127.0.0.1", port, user: "holdfast", database: "test" };
  const bare = createBarePool(options);
  const own = createPool(options);
  const contender = (name: string, pool: { query(sql: string): Promise<unknown> }) => ({
    name,
    one: () => pool.query("SELECT 1"),
    many: (count: number) => Promise.all(Array.from({ length: count }, () => pool.query("SELECT 1"))),
  });
  return {
    contenders: [contender("mysql2", bare), contender("holdfast/mysql2", own)],
    end: async () => {
      await bare.end();
      await own.end();
    },
  };
}
