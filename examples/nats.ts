// node build/examples/nats.js [127.0.0.1:4222] — then restart the server and watch.

import { connect, delay } from "../src/drivers/nats/index.ts"; // yours: "holdfast/nats", was "@nats-io/transport-node"

const nc = await connect({ servers: process.argv[2] ?? "127.0.0.1:4222" });
nc.resilience.on("disconnected", ({ cause }) => {
  if (cause !== undefined) console.warn("lost:", String(cause)); // undefined: closed by its owner
});
nc.resilience.on("reconnected", ({ downMs }) => console.warn(`back after ${Math.round(downMs)} ms`));
nc.resilience.on("unconfirmed", ({ count }) => console.warn(`${count} messages: fate unknown`));

const counter = nc.subscribe("count", {
  callback(error, message) {
    if (error) console.error(error.message);
    else message.respond(message.data);
  },
});
for (let i = 1; i <= 20; i++) {
  try {
    const reply = await nc.request("count", String(i), { timeout: 2_000 });
    console.log("counted", reply.string());
    await nc.flush();
  } catch (error) {
    const { outcome } = error as { outcome?: string }; // "not-applied": repeat it; "maybe-applied": ask first
    console.error(outcome, (error as Error).message);
  }
  await delay(200);
}
counter.unsubscribe();
await nc.drain();
