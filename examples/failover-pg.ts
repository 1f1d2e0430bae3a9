// node build/examples/failover-pg.js postgres://user@host/database host1:5432 host2:5432 — then fail over, and watch; Ctrl-C ends it.
import { setTimeout as pause } from "node:timers/promises";
import { Pool } from "../src/drivers/pg/index.ts"; // yours: "holdfast/pg", was "pg"
import { isHoldfastError } from "../src/index.ts"; // yours: "holdfast"

const [connectionString = "postgres://localhost/postgres", ...endpoints] = process.argv.slice(2);
const pool = new Pool({
  connectionString, // user, database, TLS: the same for all
  max: 4,
  resilience: {
    ...(endpoints.length > 0 && { endpoints }),
    order: "given", // the first one that is primary is preferred
    target: "primary", // a standby is passed over
  },
});
pool.resilience.on("dialFailed", ({ error }) => console.warn("no primary yet:", String(error)));
await pool.query("CREATE TABLE IF NOT EXISTS marks (n int)");
let stopped = false;
process.once("SIGINT", () => {
  stopped = true;
});
for (let n = 1; !stopped; n++) {
  try {
    const { rows } = await pool.query("INSERT INTO marks VALUES ($1) RETURNING inet_server_port() AS at", [
      n,
    ]);
    console.log(`${n} written at ${rows[0].at}`);
  } catch (error) {
    if (!isHoldfastError(error)) throw error; // the server's own answer
    console.log(`${n} ${error.outcome}`); // under way when the server died: whether it was done, only a look can tell
  }
  await pause(50);
}
await pool.query("DROP TABLE marks");
await pool.end();
