import { Client, Pool } from "../../../src/drivers/pg/index.ts";
import { type Ask, standbyTests } from "../../support/standby.ts";

interface Asked {
  query(sql: string): Promise<{ rows: Record<string, unknown>[] }>;
}

const askOf =
  (asked: unknown): Ask =>
  async (sql) =>
    (await (asked as Asked).query(sql)).rows;

standbyTests({
  name: "pg",
  server: "postgres",
  readOnlyError: { code: "25006" },
  pool(where, resilience, size) {
    const pool = new Pool({ ...where, ...size, resilience });
    return {
      ask: askOf(pool),
      async borrow() {
        const client = await pool.connect();
        return { ask: askOf(client), release: () => client.release() };
      },
      transaction: (work, options) => pool.transaction((client) => work(askOf(client)), options),
      resilience: pool.resilience,
    };
  },
  async client(where, resilience) {
    const client = new Client({ ...where, resilience });
    await client.connect();
    return { ask: askOf(client), close: () => client.resilience.close() };
  },
});
