// node build/examples/failover-mysql2.js mariadb://user@host/database host1:3306 host2:3306 — then fail over, and watch; Ctrl-C ends it.
import { setTimeout as pause } from "node:timers/promises";
import { createPool } from "../src/drivers/mysql2/promise.ts"; // yours: "holdfast/mysql2/promise", was "mysql2/promise"
import { isHoldfastError } from "../src/index.ts"; // yours: "holdfast"

const [uri = "mariadb://root@localhost/test", ...endpoints] = process.argv.slice(2);
const pool = createPool({
  uri, // user, database, TLS: the same for all
  connectionLimit: 4,
  resilience: {
    ...(endpoints.length > 0 && { endpoints }),
    order: "given", // the first one that is primary is preferred
    target: "primary", // a server with read_only on is passed over
  },
});
pool.resilience.on("dialFailed", ({ error }) => console.warn("no primary yet:", String(error)));
await pool.query("CREATE TABLE IF NOT EXISTS marks (n INT)");
let stopped = false;
process.once("SIGINT", () => {
  stopped = true;
});
for (let n = 1; !stopped; n++) {
  try {
    await pool.query("INSERT INTO marks VALUES (?)", [n]);
    const [rows] = await pool.query("SELECT @@port AS at FROM DUAL");
    console.log(`${n} written at ${(rows as { at: number }[])[0]?.at}`);
  } catch (error) {
    if (!isHoldfastError(error)) throw error; // the server's own answer
    console.log(`${n} ${error.outcome}`); // under way when the server died: whether it was done, only a look can tell
  }
  await pause(50);
}
await pool.query("DROP TABLE marks");
await pool.end();
