/** The pools of the drivers dial with permits: the process's, or those of the governor they are given. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Governor, processGovernor } from "../../src/governor/index.ts";
import type { FaultProxy } from "../../src/lab/index.ts";
import { until } from "../support/until.ts";
import { rigFor as mysqlRig } from "./mysql2/rig.ts";
import { rigFor as pgRig } from "./pg/rig.ts";
import { poolRigFor as redisRig } from "./redis/pool-rig.ts";

interface Pools {
  readonly proxy: FaultProxy;
  /** A pool of four; what it returns asks the server something on a connection of it. */
  pool(governor?: Governor): () => Promise<unknown>;
}

const drivers: Record<string, (t: TestContext) => Promise<Pools | undefined>> = {
  async pg(t) {
    const rig = await pgRig(t);
    if (rig === undefined) return undefined;
    return {
      proxy: rig.proxy,
      pool(governor) {
        const pool = rig.pool({ max: 4, ...(governor && { resilience: { governor } }) });
        return () => pool.query("SELECT 1");
      },
    };
  },
  async mysql2(t) {
    const rig = await mysqlRig(t);
    if (rig === undefined) return undefined;
    return {
      proxy: rig.proxy,
      pool(governor) {
        const pool = rig.pool({ connectionLimit: 4, ...(governor && { resilience: { governor } }) });
        return () => pool.query("SELECT 1");
      },
    };
  },
  async redis(t) {
    const rig = await redisRig(t);
    if (rig === undefined) return undefined;
    return {
      proxy: rig.proxy,
      pool(governor) {
        const pool = rig.pool({ minimum: 0, maximum: 4 }, governor && { resilience: { governor } });
        const opened = pool.connect();
        return () => opened.then(() => pool.ping());
      },
    };
  },
};

for (const [name, make] of Object.entries(drivers)) {
  test(`${name}: two pools under one governor never dial more at once than it allows`, async (t) => {
    const pools = await make(t);
    if (pools === undefined) return;
    const { proxy } = pools;
    const governor = new Governor({ maxConcurrentDials: 3 });
    const asks = [pools.pool(governor), pools.pool(governor)];
    // Each pool dials two at first; no handshake gets on, so that all dials stay under way.
    const mute = await proxy.fault({ kind: "blackHole", how: "stop-reading", afterwards: "resume" });
    const answers = Promise.all(asks.flatMap((ask) => [ask(), ask(), ask(), ask()]));
    answers.catch(() => {}); // awaited below
    await until("four wishes to dial", 4_000, () => governor.dialing + governor.parked === 4);
    assert.deepEqual([governor.dialing, governor.parked], [3, 1]);
    await until("three dials", 4_000, () => proxy.connections().length >= 3);
    assert.equal(proxy.connections().length, 3);
    await mute.undo();
    assert.equal((await answers).length, 8);
    await until("every permit back", 5_000, () => governor.dialing + governor.parked === 0);
  });

  test(`${name}: a pool that is given no governor dials with the process's permits`, async (t) => {
    const pools = await make(t);
    if (pools === undefined) return;
    const ask = pools.pool();
    const mute = await pools.proxy.fault({ kind: "blackHole", how: "stop-reading", afterwards: "resume" });
    const answers = Promise.all([ask(), ask()]);
    answers.catch(() => {}); // awaited below
    await until("two dials with permits", 4_000, () => processGovernor.dialing === 2);
    await mute.undo();
    await answers;
    await until("every permit back", 5_000, () => processGovernor.dialing === 0);
  });
}

test("pg: a borrowed client gets another connection where one permit is all there is", async (t) => {
  const rig = await pgRig(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 1, resilience: { governor: new Governor({ maxConcurrentDials: 1 }) } });
  const client = await pool.connect();
  await client.query("SELECT 1");
  const gone = new Promise<void>((resolve) => {
    client.resilience.on("disconnected", () => resolve());
  });
  rig.proxy.cut("rst");
  await gone;
  assert.deepEqual((await client.query("SELECT 2 AS n")).rows, [{ n: 2 }]);
  client.release();
});

test("mysql2: a borrowed connection gets another where one permit is all there is", async (t) => {
  const rig = await mysqlRig(t);
  if (rig === undefined) return;
  const governor = new Governor({ maxConcurrentDials: 1 });
  const pool = rig.pool({ connectionLimit: 1, resilience: { governor } });
  const connection = await pool.getConnection();
  await connection.query("SELECT 1");
  const gone = new Promise<void>((resolve) => {
    pool.resilience.on("retired", () => resolve());
  });
  rig.proxy.cut("rst");
  await Promise.race([gone, connection.query("SELECT 1").catch(() => {})]);
  const [rows] = await connection.query("SELECT 2 AS n");
  assert.deepEqual(JSON.parse(JSON.stringify(rows)), [{ n: 2 }]);
  connection.release();
});
