/** Where the proof ends: what the kernel took may have been carried out, what it did not take was not. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { testAuthority } from "../../../src/lab/index.ts";
import { until } from "../../support/until.ts";
import { failure, next, rigFor } from "./rig.ts";

test("[mariadb-redis 35]: a write into a socket that is gone counts as not sent; one byte taken does not", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const sockets: Socket[] = [];
  const stream = (): Socket => {
    const socket = connect({ host: rig.where.host, port: rig.where.port, noDelay: true });
    sockets.push(socket);
    return socket;
  };
  const pool = rig.pool({ connectionLimit: 1, stream });
  await pool.query("CREATE TABLE t (id INT)");
  const [socket] = sockets as [Socket];
  // The kernel refuses the write itself: nobody has seen a byte of the statement, so it goes to another connection.
  const handle = (socket as unknown as { _handle: { writeBuffer(...args: unknown[]): number } })._handle;
  handle.writeBuffer = () => -32; // EPIPE
  await pool.query("INSERT INTO t VALUES (1)");
  assert.deepEqual([sockets.length, await rig.count("t")], [2, 1]);
  // A statement whose beginning the kernel took before the connection went.
  const [, second] = sockets as [Socket, Socket];
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "up", how: "stop-reading" });
  const big = failure(pool.query("INSERT INTO t SELECT LENGTH(?)", ["x".repeat(8_000_000)]));
  await until("some of it is gone", 5_000, () => second.bytesWritten > 0 && second.writableLength > 0);
  rig.proxy.cut("rst");
  const error = await big;
  assert.deepEqual([error.code, error.outcome], ["HF_LOST", "maybe-applied"]);
  await hole.undo();
});

test("the death of the server in the middle of a turn: what was queued behind is sent elsewhere", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const connection = await rig.connection();
  await connection.query("CREATE TABLE t (id INT)");
  const first = failure(connection.query("INSERT INTO t SELECT SLEEP(10)"));
  const second = connection.query("INSERT INTO t VALUES (2)");
  await until("the first runs", 5_000, async () =>
    (await rig.server.sql.sessions()).some(({ doing }) => doing?.includes("SLEEP") === true),
  );
  await rig.server.kill9();
  await rig.server.restart();
  assert.equal((await first).outcome, "maybe-applied");
  await second;
  assert.equal(await rig.count("t"), 1);
});

test("TLS: pool and connection over TLS survive a reset, and an idle half-open one is found", async (t) => {
  const authority = await testAuthority();
  const rig = await rigFor(t, { tls: { ...(await authority.leaf()), only: true } });
  if (rig === undefined) return;
  const ssl = { ca: authority.cert };
  const pool = rig.pool({ ssl });
  const connection = await rig.connection({
    ssl,
    resilience: { liveness: { idleProbeMs: 150, probeTimeoutMs: 150 } },
  });
  const cipher = async (from: Pick<typeof pool, "query">): Promise<string> => {
    const [rows] = await from.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
    return String((rows as { Value: string }[])[0]?.Value);
  };
  for (const from of [pool, connection]) assert.match(await cipher(from), /TLS|AES/);
  rig.proxy.cut("rst");
  for (const from of [pool, connection]) assert.match(await cipher(from), /TLS|AES/);
  const lost = next(connection, "disconnected");
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "both" });
  await lost;
  await hole.undo();
  assert.match(await cipher(connection), /TLS|AES/);
  const plain = await failure(
    rig.pool({ resilience: { pool: { acquireTimeoutMs: 500 } } }).query("SELECT 1"),
  );
  assert.equal(plain.outcome, "not-applied");
});
