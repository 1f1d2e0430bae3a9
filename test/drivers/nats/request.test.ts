import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { TimeoutError } from "../../../src/drivers/nats/index.ts";
import { until } from "../../support/until.ts";
import { fakeNats } from "./fake-server.ts";
import { connected } from "./support.ts";

test("a request that was sent and timed out is the library's TimeoutError, and says maybe-applied", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url);
  await assert.rejects(nc.request("q", "x", { timeout: 30 }), (error: unknown) => {
    assert.ok(error instanceof TimeoutError);
    assert.equal(error.name, "TimeoutError");
    assert.ok(isHoldfastError(error));
    assert.deepEqual([error.code, error.outcome, error.step], ["HF_DEADLINE", "maybe-applied", "reply"]);
    return true;
  });
});

test("a request declared a read is sent again when its connection dies, any other is not", async (t) => {
  const server = await fakeNats(t, {
    line: (line, socket, n) => {
      const [verb, , reply] = line.split(" ");
      if (verb !== "PUB" || n === 1) return undefined;
      socket.write(`MSG ${reply} 1 2\r\nok\r\n`);
      return undefined;
    },
  });
  const nc = await connected(t, server.url);
  const read = nc.request("q", "read", { timeout: 10_000, effect: "read" });
  const once = assert.rejects(nc.request("q", "once", { timeout: 10_000 }), /may have been applied/);
  await until("both", 5_000, () => server.lines.includes("read") && server.lines.includes("once"));
  for (const socket of server.open) socket.destroy();
  await once;
  assert.equal((await read).string(), "ok");
  assert.equal(server.lines.filter((line) => line === "once").length, 1);
});
