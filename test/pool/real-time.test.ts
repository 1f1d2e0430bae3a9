/** The pools on the machine's own clock, over real sockets: what virtual time can't show. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { type Connector, ElasticPool, FixedPool } from "../../src/pool/index.ts";

async function echoServer() {
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  const accepted = new Set<Socket>();
  server.on("connection", (socket) => {
    accepted.add(socket);
    socket.on("close", () => accepted.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    for (const socket of accepted) socket.destroy();
    server.close();
    await once(server, "close");
  };
  return { server, accepted, port, stop };
}

function connector(port: number): Connector<Socket> {
  return {
    async open({ signal, lost }) {
      const socket = connect({ port, host: "127.0.0.1" });
      signal.addEventListener("abort", () => socket.destroy());
      await once(socket, "connect");
      socket.on("error", () => {});
      socket.on("close", () => lost(new Error("closed by the server")));
      socket.on("error", () => {});
      socket.resume(); // a paused socket never tells that it was closed
      return socket;
    },
    async close(socket, how) {
      if (how === "abrupt") return void socket.destroy();
      const closed = once(socket, "close");
      socket.end();
      if (!socket.closed) await closed;
    },
    classify: () => "transient",
  };
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [data] = await once(socket, "data");
  return String(data);
}

test("an elastic pool over real sockets: work, a restart of every connection, work, a deadline, close", async () => {
  const { accepted, port, stop } = await echoServer();
  const pool = new ElasticPool({ connector: connector(port), max: 3 });
  try {
    const round = (): Promise<string[]> =>
      Promise.all(Array.from({ length: 20 }, (_, i) => pool.use((socket) => echo(socket, `${i}`))));
    assert.deepEqual(
      await round(),
      Array.from({ length: 20 }, (_, i) => `${i}`),
    );
    assert.ok(pool.stats().open <= 3);
    for (const socket of accepted) socket.destroy();
    while (pool.stats().open > 0) await new Promise((resolve) => pool.on("retired", resolve));
    assert.ok(pool.stats().closed.lost >= 1);
    assert.equal(await pool.use((socket) => echo(socket, "again")), "again");

    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    await assert.rejects(pool.acquire({ deadlineMs: 20 }), { code: "HF_DEADLINE" });
    for (const lease of leases) lease.release();
  } finally {
    await pool.close();
    await stop();
  }
  assert.equal(pool.stats().open, 0);
});

test("a fixed pool over real sockets comes back to its size", async () => {
  const { accepted, port, stop } = await echoServer();
  const pool = new FixedPool({ connector: connector(port), size: 3 });
  try {
    await pool.start();
    assert.equal(pool.connections.length, 3);
    const back = new Promise((resolve) => pool.on("stopped", resolve));
    for (const socket of [...accepted].slice(0, 2)) socket.destroy();
    await back;
    assert.equal(pool.connections.length, 3);
    assert.equal(await echo(pool.next() as Socket, "hello"), "hello");
  } finally {
    await pool.close();
    await stop();
  }
});
