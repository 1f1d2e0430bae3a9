import assert from "node:assert/strict";
import { test } from "node:test";
import { faultProxy } from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { dial, type Peer, testServer, until } from "./rig.ts";

/** More than the kernel's buffers of two loopback connections take (measured: about 3.8 MB each). */
const moreThanKernelsHold = 32 * 1024 * 1024;

async function pair(t: Parameters<typeof checkLeaks>[0]) {
  checkLeaks(t);
  const stack = new AsyncDisposableStackLite();
  const server = stack.use(await testServer());
  const proxy = stack.use(await faultProxy({ upstream: server.endpoint }));
  const client = stack.use(await dial(proxy.endpoint, { allowHalfOpen: true }));
  const peer = await server.peer(0);
  return {
    proxy,
    server,
    client,
    peer,
    ends: (direction: "up" | "down"): [from: Peer, to: Peer] =>
      direction === "up" ? [client, peer] : [peer, client],
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

class AsyncDisposableStackLite implements AsyncDisposable {
  readonly #items: AsyncDisposable[] = [];
  use<T extends AsyncDisposable>(item: T): T {
    this.#items.push(item);
    return item;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const item of this.#items.reverse()) await item[Symbol.asyncDispose]();
  }
}

for (const direction of ["up", "down"] as const) {
  test(`discard ${direction}: bytes and a close vanish, the sender feels nothing, the other way is open`, async (t) => {
    await using rig = await pair(t);
    const [from, to] = rig.ends(direction);
    await from.send("before").socket;
    await to.got(6);
    const hole = await rig.proxy.fault({ kind: "blackHole", direction });
    from.send(Buffer.alloc(moreThanKernelsHold));
    await until("all of it to be taken", () => from.socket.writableLength === 0);
    from.socket.end();
    to.send("other way");
    await from.got(9);
    await until("the loss to be counted", () => hole.hits[0]?.bytes === moreThanKernelsHold);
    assert.deepEqual([to.text, to.gotFin], ["before", false]);
    await hole.undo();
    assert.equal(await to.ended(), "ECONNRESET", "a stream with a hole in it must not go on");
  });

  test(`stop-reading ${direction}: the sender's writes back up, and nothing is lost`, async (t) => {
    await using rig = await pair(t);
    const [from, to] = rig.ends(direction);
    const hole = await rig.proxy.fault({ kind: "blackHole", direction, how: "stop-reading" });
    const payload = Buffer.alloc(moreThanKernelsHold, "abcdefg");
    from.send(payload);
    to.send("other way");
    await from.got(9);
    assert.ok(from.socket.writableLength > 0, "the sender must feel it");
    assert.equal(to.count, 0);
    assert.deepEqual(hole.hits, [{ connection: 1, acts: 1, bytes: 0 }]);
    await hole.undo();
    await to.got(payload.length);
    assert.ok(to.bytes.equals(payload));
  });
}

test("a black hole both ways hides a client's reset from the server until it is undone", async (t) => {
  await using rig = await pair(t);
  const hole = await rig.proxy.fault({ kind: "blackHole" });
  rig.client.socket.resetAndDestroy();
  await until("the proxy to see the reset", () => hole.hits.length === 1);
  assert.equal(rig.peer.socket.destroyed, false);
  assert.equal(rig.proxy.connections().length, 1, "half-open: one side is still there");
  await hole.undo();
  assert.equal(await rig.peer.ended(), "ECONNRESET");
});

test("a close that came during a hole that lost no bytes is passed on afterwards", async (t) => {
  await using rig = await pair(t);
  const hole = await rig.proxy.fault({ kind: "blackHole" });
  rig.peer.socket.end();
  await until("the close to be swallowed", () => hole.hits.length === 1);
  assert.equal(rig.client.gotFin, false);
  await hole.undo();
  await rig.client.fin();
  rig.client.send("still open this way");
  await rig.peer.got(19);
});

test("afterwards: resume lets a connection go on without what it lost", async (t) => {
  await using rig = await pair(t);
  {
    await using hole = await rig.proxy.fault({ kind: "blackHole", afterwards: "resume" });
    rig.client.send("lost");
    await until("the bytes to be lost", () => hole.hits[0]?.bytes === 4);
  }
  rig.client.send("kept");
  assert.equal((await rig.peer.got(4)).text, "kept");
});

test("a reply can be swallowed after its request was executed", async (t) => {
  checkLeaks(t);
  let counter = 0;
  await using server = await testServer({ answer: () => `:${++counter}\r\n` });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint);
  await client.send("INCR hits\r\n").got(4);
  await using hole = await proxy.fault({ kind: "blackHole", direction: "down" });
  client.send("INCR hits\r\n");
  await until("the reply to be swallowed", () => hole.hits[0]?.bytes === 4);
  assert.equal(counter, 2);
  assert.equal(client.text, ":1\r\n");
});

test("new connections fall into a hole that was there before them", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ greeting: "hello" });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using hole = await proxy.fault({ kind: "blackHole", applyTo: "new" });
  await using client = await dial(proxy.endpoint);
  client.send("anyone?");
  await until("both directions to lose", () => hole.hits[0]?.bytes === 12);
  assert.equal(client.text, "");
  assert.equal((await server.peer(0)).text, "");
});
