import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { withServer } from "../../support/servers.ts";
import { open } from "./wire.ts";

test("nats: starts, greets, is killed and comes back on its port", async (t) => {
  const nats = await withServer(t, "nats", { password: "p" });
  if (nats === undefined) return;
  assert.match(nats.version, /^\d+\.\d+/);
  for (let run = 0; run < 2; run++) {
    const socket = await open(nats.port);
    const [greeting] = (await once(socket, "data")) as [string];
    assert.match(greeting, /^INFO \{.*"auth_required":true/);
    const closed = once(socket, "close");
    await nats.kill9();
    await closed;
    await nats.restart();
  }
});
