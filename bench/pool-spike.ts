/** What pools do when many want something at once, and when there is nothing to be had. */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { collectGarbage, progress } from "./harness.ts";
import type { Factory, PoolPeer, Thing } from "./pool-peers.ts";

const CALLERS = 50;
const IDLE = 5;
const MAX = 50;
const WORK_MS = 2;
const DIAL_MS = 150;
const FAILING_MS = 2_000;
const WAITERS = 3;

export const spikeMethod = `spike: ${CALLERS} callers at once, each with ${WORK_MS} ms of work; ${IDLE} idle of at most ${MAX} connections; a dial takes ${DIAL_MS} ms`;
export const failingMethod = `no server: each dial fails at once, ${WAITERS} callers wait, ${FAILING_MS / 1_000} s`;

export interface SpikeResult {
  readonly wholeMs: number;
  /** How long each caller took, from asking to giving back. */
  readonly callersMs: readonly number[];
  /** Connections opened in all, those before the spike included. */
  readonly opened: number;
}

class FakeServer implements Factory {
  opened = 0;
  delayMs = 0;
  failing = false;

  async open(): Promise<Thing> {
    const number = ++this.opened;
    if (this.failing) {
      await turn(); // a refusal comes with a turn of the loop, not before
      throw new Error("connection refused");
    }
    if (this.delayMs > 0) await sleep(this.delayMs);
    return { number };
  }
}

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export async function spike(peer: PoolPeer): Promise<SpikeResult> {
  const server = new FakeServer();
  const pool = peer.make(server, MAX);
  const first = await Promise.all(Array.from({ length: IDLE }, () => pool.acquire()));
  for (const held of first) pool.release(held);
  await sleep(10);
  server.delayMs = DIAL_MS;
  collectGarbage();
  const callersMs: number[] = [];
  const startMs = nowMs();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      const held = await pool.acquire();
      await sleep(WORK_MS);
      pool.release(held);
      callersMs.push(nowMs() - startMs);
    }),
  );
  const wholeMs = nowMs() - startMs;
  await sleep(2 * DIAL_MS); // what was dialled for nobody arrives, too
  await pool.close();
  return { wholeMs, callersMs, opened: server.opened };
}

/** Dials while every one fails, in a second. */
export async function dialsWhileFailing(
  peer: PoolPeer,
): Promise<{ dialsPerS: number; toldMs: number | undefined }> {
  progress(`pool: ${peer.name} without a server`);
  const server = new FakeServer();
  server.failing = true;
  const pool = peer.make(server, MAX);
  const startMs = nowMs();
  let toldMs: number | undefined;
  const waiting = Array.from({ length: WAITERS }, () =>
    pool.acquire().then(
      (held) => pool.release(held),
      () => {
        toldMs ??= nowMs() - startMs;
      },
    ),
  );
  await sleep(FAILING_MS);
  const dialsPerS = server.opened / ((nowMs() - startMs) / 1_000);
  server.failing = false; // whoever waits still is served, so that everything ends
  await Promise.all(waiting);
  await pool.close();
  return { dialsPerS, toldMs };
}
