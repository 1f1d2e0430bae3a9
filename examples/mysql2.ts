// node build/examples/mysql2.js [mysql://user@host:port/database] — then restart the server and watch.

import { setTimeout as delay } from "node:timers/promises";
import { createPool } from "../src/drivers/mysql2/promise.ts"; // yours: "holdfast/mysql2/promise", was "mysql2/promise"
import { isHoldfastError } from "../src/index.ts"; // yours: "holdfast"

const pool = createPool(process.argv[2] ?? "mysql://root@127.0.0.1/test");
pool.resilience.on("retired", ({ reason }) => {
  if (reason === "lost") console.warn("lost:", pool.resilience.explain());
});
await pool.query("CREATE TABLE IF NOT EXISTS hits (id INT AUTO_INCREMENT PRIMARY KEY)");
for (let i = 0; i < 20; i++) {
  try {
    await pool.query("INSERT INTO hits () VALUES ()");
    const [rows] = await pool.query("SELECT COUNT(*) AS n FROM hits"); // a read: repeated when its connection dies
    console.log("hits:", (rows as { n: number }[])[0]?.n);
  } catch (error) {
    if (!isHoldfastError(error)) throw error; // the server's own answer
    console.error(error.outcome, error.message); // "not-applied": repeat it; "maybe-applied": ask first
  }
  await delay(200);
}
await pool.end();
