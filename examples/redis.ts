// node build/examples/redis.js [redis://host:port] — then restart the server and watch.

import { createClient } from "../src/drivers/redis/index.ts"; // yours: "holdfast/redis", was "redis"
import { isHoldfastError } from "../src/index.ts"; // yours: "holdfast"

await using redis = createClient({ url: process.argv[2] ?? "redis://127.0.0.1:6379" });
redis.resilience.on("disconnected", ({ cause }) => {
  if (cause !== undefined) console.warn("lost:", String(cause)); // undefined: closed by its owner
});
redis.resilience.on("reconnected", ({ downMs }) => console.warn(`back after ${Math.round(downMs)} ms`));
await redis.connect();
for (let i = 0; i < 100; i++) {
  try {
    console.log("hits:", await redis.incr("hits"));
    await redis.blPop("nobody-pushes-here", 0.3); // a pause
  } catch (error) {
    if (!isHoldfastError(error)) throw error; // the server's own answer
    console.error(error.outcome, error.message); // "not-applied": repeat it; "maybe-applied": ask first
  }
}
