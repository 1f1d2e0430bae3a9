import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { errors, type ResilientNatsConnection, TimeoutError } from "../../../src/drivers/nats/index.ts";
import { virtualWorld } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, lose, withNats } from "./support.ts";

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

test("requestMany: in flight at a loss it ends with its outcome, waiting it is sent to the next server, waiting too long never", async (t) => {
  const answered = (line: string, socket: { write(text: string): unknown }): undefined => {
    const [verb, , reply] = line.split(" ");
    if (verb === "PUB") socket.write(`MSG ${reply} 1 2\r\nok\r\n`);
    return undefined;
  };
  const server = await fakeNats(t, {
    line: (line, socket, n) => (n > 1 ? answered(line, socket) : undefined),
  });
  const nc = await connected(t, server.url);
  const options = { strategy: "count", maxMessages: 1, maxWait: 10_000 } as const;
  const many = await nc.requestMany("q", "in flight", options);
  const ended = assert.rejects(async () => {
    for await (const _ of many) assert.fail("no answer");
  });
  await until("the request to arrive", 5_000, () => server.lines.includes("in flight"));
  const { port } = server;
  await lose(nc, () => server.close());
  await ended;
  await assert.rejects(nc.requestMany("q", "too late", { ...options, maxWait: 30 }), (error: unknown) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.outcome, "not-applied");
    return true;
  });
  const waiting = nc.requestMany("q", "waited", options);
  const again = await fakeNats(t, { line: answered }, port);
  const answers: string[] = [];
  for await (const message of await waiting) answers.push(message.string());
  assert.deepEqual(answers, ["ok"]);
  assert.ok(!again.lines.includes("too late"));
});

test("the error of a request says where it was made, unless noAsyncTraces", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  async function whoAsked(nc: ResilientNatsConnection): Promise<Error> {
    const failure = await nc
      .request("nobody.is.there", "", { timeout: 2_000 })
      .catch((error: unknown) => error);
    assert.ok(failure instanceof errors.RequestError && failure.isNoResponders());
    return failure;
  }
  async function whoWaited(nc: ResilientNatsConnection): Promise<Error> {
    const failure = await nc.request("nobody.answers", "", { timeout: 50 }).catch((error: unknown) => error);
    assert.ok(failure instanceof TimeoutError);
    return failure;
  }
  const nc = await connected(t, server.url);
  nc.subscribe("nobody.answers", { callback: () => {} });
  const [first = "", frame = ""] = ((await whoAsked(nc)).stack ?? "").split("\n");
  assert.match(first, /^RequestError: no responders: 'nobody\.is\.there'/);
  assert.match(frame, /whoAsked/);
  assert.match((await whoWaited(nc)).stack?.split("\n")[1] ?? "", /whoWaited/);
  const silent = await connected(t, server.url, { noAsyncTraces: true });
  assert.doesNotMatch((await whoAsked(silent)).stack ?? "", /whoAsked/);
});

test("it is the same error when our clock is first", async (t) => {
  const server = await fakeNats(t);
  const world = virtualWorld(1);
  const nc = await connected(t, server.url, { resilience: { world } });
  const request = nc.request("q", "x", { timeout: 5_000 });
  const failed = assert.rejects(request, (error: unknown) => {
    assert.ok(error instanceof TimeoutError);
    assert.ok(isHoldfastError(error));
    assert.deepEqual([error.code, error.outcome, error.step], ["HF_DEADLINE", "maybe-applied", "reply"]);
    return true;
  });
  await until("the request to arrive", 5_000, () => server.lines.includes("x"));
  await world.clock.advanceAsync(5_100);
  await failed;
});
