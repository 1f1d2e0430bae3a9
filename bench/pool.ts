/** Acquire and release, against the pools of Node.js; a spike; and what a dead server costs. */
import type { Bench } from "./bench.ts";
import { bootstrapRandom, interleave, type Side } from "./harness.ts";
import { bareArray, ours, type PoolPeer, poolPeers } from "./pool-peers.ts";
import { dialsWhileFailing, failingMethod, type SpikeResult, spike, spikeMethod } from "./pool-spike.ts";
import { figure, type Goal, type Table, withInterval } from "./report.ts";
import { median, medianInterval, pairedRatio, quantile, verdict } from "./statistics.ts";

const TIMES_THE_BEST = 2;
const WIDEST = 0.5;
const SPIKE_GOAL_MS = 40;
const SPIKE_GOAL_OPENED = 7;

/** Callers that acquire and release in a loop, over this many connections at most. */
const columns = [
  { callers: 1, max: 1 },
  { callers: 32, max: 32 },
  { callers: 32, max: 16 },
];

async function side(
  peer: PoolPeer,
  callers: number,
  max: number,
): Promise<Side & { close(): Promise<unknown> }> {
  let opened = 0;
  const pool = peer.make({ open: () => Promise.resolve({ number: ++opened }) }, max);
  const caller = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) pool.release(await pool.acquire());
  };
  return {
    name: peer.name,
    run: (ops) => Promise.all(Array.from({ length: callers }, () => caller(ops / callers))),
    close: () => pool.close(),
  };
}

interface Column {
  readonly name: string;
  /** Nanoseconds for a cycle, for each peer of `everyone`. */
  readonly ns: readonly (readonly number[])[];
}

const everyone: readonly PoolPeer[] = [...poolPeers, ours, bareArray];
const oursAt = everyone.indexOf(ours);

async function measure(callers: number, max: number, rounds: number, ops: number): Promise<Column> {
  const sides = await Promise.all(everyone.map((peer) => side(peer, callers, max)));
  const name = `${callers} caller${callers === 1 ? "" : "s"} / ${max}`;
  const ns = await interleave(`pool: ${name}`, sides, { ops, rounds, warmups: 3 });
  for (const each of sides) await each.close();
  return { name, ns };
}

function cyclesTable(all: readonly Column[]): Table {
  const random = bootstrapRandom();
  const rows = everyone.map(({ name }, i) => [
    name,
    ...all.flatMap(({ ns }) => {
      const perMs = (ns[i] as number[]).map((each) => 1e6 / each);
      const over =
        i === oursAt ? "" : withInterval(pairedRatio(ns[i] as number[], ns[oursAt] as number[], random));
      return [figure(median(perMs)), over];
    }),
  ]);
  const heads = all.flatMap(({ name }) => [`${name}: cycles/ms`, "ours is … times as fast"]);
  return { columns: ["pool", ...heads], rows };
}

/** Against whoever is best in this column. */
function cyclesGoal({ name, ns }: Column): Goal {
  const random = bootstrapRandom();
  const medians = poolPeers.map((_, i) => median(ns[i] as number[]));
  const best = medians.indexOf(Math.min(...medians));
  const measured = pairedRatio(ns[best] as number[], ns[oursAt] as number[], random);
  return {
    goal: `acquire and release, ${name}: at least ${TIMES_THE_BEST} times as fast as the best other (${poolPeers[best]?.name})`,
    measured,
    unit: "times",
    verdict: verdict(measured, { atLeast: TIMES_THE_BEST }, WIDEST),
  };
}

async function spikes(times: number): Promise<{ table: Table; goals: Goal[] }> {
  const peers = [...poolPeers, ours];
  const results = new Map<PoolPeer, SpikeResult[]>(peers.map((peer) => [peer, []]));
  for (let i = -1; i < times; i++) {
    for (const peer of peers) {
      const result = await spike(peer);
      if (i >= 0) results.get(peer)?.push(result); // the first is for the compiler
    }
  }
  const random = bootstrapRandom();
  const rows = peers.map((peer) => {
    const all = results.get(peer) as SpikeResult[];
    const callers = all.flatMap(({ callersMs }) => callersMs);
    const whole = medianInterval(
      all.map(({ wholeMs }) => wholeMs),
      random,
    );
    const opened = all.map((each) => each.opened);
    const counts =
      Math.min(...opened) === Math.max(...opened)
        ? `${opened[0]}`
        : `${Math.min(...opened)}–${Math.max(...opened)}`;
    return [
      peer.name,
      withInterval(whole),
      figure(quantile(callers, 0.5)),
      figure(quantile(callers, 0.95)),
      counts,
    ];
  });
  const own = results.get(ours) as SpikeResult[];
  const time = medianInterval(
    own.map(({ wholeMs }) => wholeMs),
    random,
  );
  const opened = medianInterval(
    own.map((each) => each.opened),
    random,
  );
  return {
    table: { columns: ["spike", "all done, ms", "p50 ms", "p95 ms", "connections opened"], rows },
    goals: [
      {
        goal: `spike: all done in less than ${SPIKE_GOAL_MS} ms`,
        measured: time,
        unit: "ms",
        verdict: verdict(time, { atMost: SPIKE_GOAL_MS }, SPIKE_GOAL_MS),
      },
      {
        goal: `spike: at most ${SPIKE_GOAL_OPENED} connections opened`,
        measured: opened,
        unit: "",
        verdict: verdict(opened, { atMost: SPIKE_GOAL_OPENED }, SPIKE_GOAL_OPENED),
      },
    ],
  };
}

async function failing(): Promise<Table> {
  const rows: string[][] = [];
  for (const peer of [...poolPeers, ours]) {
    const { dialsPerS, toldMs } = await dialsWhileFailing(peer);
    rows.push([
      peer.name,
      figure(dialsPerS),
      toldMs === undefined ? "wait on" : `rejected after ${figure(toldMs)} ms`,
    ]);
  }
  return { columns: ["no server", "dials a second", "callers"], rows };
}

export const pool: Bench = {
  title: "acquire and release; a spike; no server",
  async run({ full }) {
    // Long rounds: each begins with a full collection, which makes the compiler forget what it knew.
    const how = { rounds: full ? 40 : 12, ops: 192_000 };
    const measured: Column[] = [];
    for (const { callers, max } of columns) measured.push(await measure(callers, max, how.rounds, how.ops));
    const times = full ? 30 : 10;
    const { table, goals } = await spikes(times);
    return {
      method: [
        `pools of things made on the spot, each library at its defaults but for the size; ${how.rounds} rounds of ${figure(how.ops)} cycles for each, in turn`,
        "callers / most connections: with 32 / 16 half of the callers wait",
        `${spikeMethod}; ${times} times`,
        failingMethod,
      ],
      tables: [cyclesTable(measured), table, await failing()],
      goals: [...measured.map(cyclesGoal), ...goals],
      notes: [
        "ours has a deadline on every acquire, takes back each lease once only and counts; the bare array is the floor, not a pool",
      ],
    };
  },
};
