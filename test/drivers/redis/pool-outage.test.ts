/** A pool of clients through what servers do: restarts, kill −9, resets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { seededRandom, systemClock } from "../../../src/time/index.ts";
import { type ClientPool, hold, poolRigFor } from "./pool-rig.ts";

const MOST = 6;
const WORKERS = 12;

interface Ledger {
  acknowledged: number;
  unknown: number;
  refused: number;
  tasks: number;
}

/** Takes a connection again and again, in every way there is; counts what became of its INCRs. */
async function work(pool: ClientPool, seed: number, until: () => boolean, ledger: Ledger): Promise<void> {
  const random = seededRandom(seed);
  const settle = async (done: Promise<unknown>): Promise<void> => {
    try {
      await done;
      ledger.acknowledged++;
    } catch (error) {
      if (isHoldfastError(error) && error.outcome === "maybe-applied") ledger.unknown++;
      else ledger.refused++;
    }
  };
  while (!until()) {
    ledger.tasks++;
    const way = Math.floor(random.next() * 5);
    if (way === 0) await settle(pool.incr("n"));
    else if (way === 1) await settle(pool.execute((client) => client.incr("n")));
    else if (way === 2) await settle(pool.multi().incr("n").exec());
    else if (way === 3) {
      const thrown = pool.execute(async (client) => {
        await settle(client.incr("n"));
        throw new Error("of the task itself");
      });
      await thrown.catch(() => {});
    } else await pool.execute((client) => client.get("n")).catch(() => {});
  }
}

test("R7: a connection is returned in every case, through kill −9 and restart: nothing leaks, nothing doubles", async (t) => {
  const rig = await poolRigFor(t, { config: { appendonly: "yes", appendfsync: "always" } });
  if (rig === undefined) return;
  const pool = rig.pool({ maximum: MOST, acquireTimeout: 2_000 }, { commandOptions: { timeout: 2_000 } });
  await pool.connect();
  const ledger: Ledger = { acknowledged: 0, unknown: 0, refused: 0, tasks: 0 };
  let over = false;
  let most = 0;
  const workers = Array.from({ length: WORKERS }, (_, i) => work(pool, 100 + i, () => over, ledger));
  const done = async (tasks: number): Promise<void> => {
    const target = ledger.tasks + tasks;
    while (ledger.tasks < target) {
      most = Math.max(most, pool.totalClients);
      await new Promise(setImmediate);
    }
  };
  for (let round = 0; round < 3; round++) {
    await done(500);
    await rig.server.kill9();
    await rig.server.restart();
    await done(500);
    rig.proxy.cut("rst");
  }
  await done(500);
  over = true;
  await Promise.all(workers);
  assert.ok(most <= MOST);
  assert.deepEqual([pool.clientsInUse, pool.tasksQueueLength], [0, 0]);
  const all = await hold(pool, MOST);
  assert.equal(new Set(all.ids).size, MOST, "every place can still be filled");
  await all.release();
  const stored = Number(await pool.get("n"));
  assert.ok(stored >= ledger.acknowledged, JSON.stringify({ stored, ...ledger }));
  assert.ok(stored <= ledger.acknowledged + ledger.unknown, JSON.stringify({ stored, ...ledger }));
  assert.ok(ledger.unknown <= 6 * WORKERS, "no more than what was in flight at each cut");
});

test("all idle connections die at once: the next calls still succeed", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ maximum: 4 });
  await pool.connect();
  await (await hold(pool, 4)).release();
  rig.proxy.cut("rst");
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map(() => pool.ping())), Array(4).fill("PONG"));
});

test("while the server is down tasks wait, dials are few, and a failed one is the reason of the timeout", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const backoff = { minMs: 100, baseMs: 100, capMs: 200 };
  const hasty = rig.pool({ maximum: 20, acquireTimeout: 1_000 }, { resilience: { backoff } });
  // Its tasks outlast the outage, however long the pause is that the pool's dials have come to.
  const patient = rig.pool({ maximum: 20, acquireTimeout: 20_000 });
  const lost: Promise<void>[] = [];
  for (const pool of [hasty, patient]) {
    await pool.connect();
    lost.push(
      new Promise((resolve) => {
        pool.resilience.on("retired", () => resolve());
      }),
    );
  }
  let dials = 0;
  const refused = new Promise<void>((resolve) => {
    hasty.resilience.on("dialFailed", () => {
      dials++;
      resolve();
    });
  });
  const waits = new Promise<void>((resolve) => {
    patient.resilience.on("dialFailed", () => resolve());
  });
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const startMs = systemClock.nowMs();
  rig.proxy.cut("rst");
  await Promise.all(lost);
  const late = Promise.all(Array.from({ length: 10 }, () => patient.incr("n")));
  late.catch(() => {}); // awaited below
  // The first task finds out; from then on the pool knows why nobody is served.
  const first = hasty.incr("n").catch((error) => error);
  await refused;
  const early = await Promise.allSettled(Array.from({ length: 50 }, () => hasty.incr("n")));
  await first;
  for (const one of early) {
    assert.equal(one.status, "rejected");
    assert.match(
      String(one.reason.cause?.cause ?? one.reason.cause ?? one.reason),
      /ECONNREFUSED|ECONNRESET|reset/,
    );
    assert.notEqual(one.reason.outcome, "maybe-applied");
  }
  // One each 100 ms at most, whatever the 51 callers ask for; a busy machine takes longer than their second.
  const tookMs = systemClock.nowMs() - startMs;
  assert.ok(dials >= 1 && dials <= 2 + tookMs / 100, `${dials} dials in ${tookMs} ms`);
  await waits;
  await refuse.undo();
  assert.equal((await late).length, 10);
  assert.equal(Number(await patient.get("n")), 10, "none of the early ones was carried out");
});
