import { createConnection, createPool } from "../../../src/drivers/mysql2/promise.ts";
import { type Ask, type Rows, standbyTests } from "../../support/standby.ts";

interface Asked {
  query(sql: string): Promise<[unknown, unknown]>;
}

const askOf =
  (asked: Asked): Ask =>
  async (sql) =>
    (await asked.query(sql))[0] as Rows;

standbyTests({
  name: "mysql2",
  server: "mariadb",
  readOnlyError: { errno: 1290 },
  pool(where, resilience, { max, min }) {
    const pool = createPool({ ...where, connectionLimit: max, resilience: { ...resilience, pool: { min } } });
    return {
      ask: askOf(pool),
      async borrow() {
        const connection = await pool.getConnection();
        return { ask: askOf(connection), release: () => connection.release() };
      },
      transaction: (work, options) => pool.transaction((connection) => work(askOf(connection)), options),
      resilience: pool.resilience,
    };
  },
  async client(where, resilience) {
    const connection = await createConnection({ ...where, resilience });
    return { ask: askOf(connection), close: () => connection.resilience.close() };
  },
});
