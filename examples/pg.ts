// node build/examples/pg.js [postgres://user@host/database] — then restart the server and watch.

import { Pool } from "../src/drivers/pg/index.ts"; // yours: "holdfast/pg", was "pg"
import { isHoldfastError } from "../src/index.ts"; // yours: "holdfast"

const pool = new Pool({ connectionString: process.argv[2] ?? "postgres://localhost/postgres", max: 4 });
pool.resilience.on("dialFailed", ({ error }) => console.warn("no connection:", String(error)));
await pool.query("CREATE TABLE IF NOT EXISTS hits (n int)");
for (let i = 0; i < 20; i++) {
  try {
    await pool.query("INSERT INTO hits VALUES ($1)", [i]);
    // A read waits out a restart, and is sent again when it was under way.
    const { rows } = await pool.query("SELECT count(*)::int AS hits, pg_sleep(0.2) FROM hits");
    console.log("hits:", rows[0].hits);
  } catch (error) {
    if (!isHoldfastError(error)) throw error; // the server's own answer
    console.error(error.outcome, error.message); // "not-applied": repeat it; "maybe-applied": ask first
  }
}
// Run again only if the connection was lost before COMMIT was sent, or the server undid the transaction.
await pool.transaction((client) => client.query("DROP TABLE hits"), { retry: 3 });
await pool.end();
