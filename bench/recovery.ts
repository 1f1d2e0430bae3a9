/** From "the server is back" to the first answered call, and what it cost in dials. */
import { type FaultProxy, faultProxy, startServer } from "../src/lab/index.ts";
import { systemClock } from "../src/time/index.ts";
import type { Bench, BenchOptions } from "./bench.ts";
import { countDials } from "./dials.ts";
import { bootstrapRandom, progress } from "./harness.ts";
import { holdfastRedis, type Peer, type PeerClient, peers } from "./peers.ts";
import { figure, type Goal, withInterval } from "./report.ts";
import { type Interval, meanInterval, quantile, ratioOfMeans, verdict } from "./statistics.ts";

const SHORT_S = [1, 3, 10];
const FULL_S = [1, 3, 10, 30, 60, 120];
/** Clients of each kind, each behind a proxy of its own. */
const CLIENTS = 24;
/** The outages of the clients are longer by up to this share: grids of attempts are met at every phase. */
const SPREAD = 0.5;
const CALL_EVERY_DOWN_MS = 100;
const CALL_EVERY_BACK_MS = 20;
const GIVE_UP_MS = 60_000;
/** A ratio of recovery times across the goal and wider than this decides nothing. */
const WIDEST = 0.5;

/** Client by client: those of one place had the same outage. */
interface Found {
  readonly recoveryMs: number[];
  readonly dials: number[];
}

interface Runner {
  readonly peer: Peer;
  readonly proxy: FaultProxy;
  readonly client: PeerClient;
}

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => void systemClock.setTimer(ms, () => resolve()));

async function untilAnswered(client: PeerClient): Promise<void> {
  for (;;) {
    const ok = await client.get().then(
      () => true,
      () => false,
    );
    if (ok) return;
    await sleep(20);
  }
}

/** Calls all the time, as an application does; resolves with the moment of the first answer after `backMs`. */
function firstAnswer(client: PeerClient, back: Promise<number>): Promise<number> {
  return new Promise((resolve, reject) => {
    let backMs = Number.POSITIVE_INFINITY;
    let over = false;
    void back.then(async (atMs) => {
      backMs = atMs;
      await sleep(GIVE_UP_MS);
      if (!over) reject(new Error(`no answer within ${GIVE_UP_MS} ms of the server's return`));
    });
    const call = (): void => {
      if (over) return;
      client.get().then(
        () => {
          if (over || systemClock.nowMs() < backMs) return;
          over = true;
          resolve(systemClock.nowMs());
        },
        () => {}, // rejected while down: the next one may succeed
      );
      void sleep(backMs === Number.POSITIVE_INFINITY ? CALL_EVERY_DOWN_MS : CALL_EVERY_BACK_MS).then(call);
    };
    call();
  });
}

/** One client loses its server and gets it back. */
async function outage({ proxy, client }: Runner, lengthMs: number): Promise<{ ms: number; dials: number }> {
  const dials = countDials(proxy.port);
  const refusing = await proxy.fault({ kind: "refuse" });
  proxy.cut("rst");
  let tellBack: (atMs: number) => void = () => {};
  const back = new Promise<number>((resolve) => {
    tellBack = resolve;
  });
  const answer = firstAnswer(client, back);
  await sleep(lengthMs);
  await refusing.undo();
  const backMs = systemClock.nowMs();
  tellBack(backMs);
  return { ms: (await answer) - backMs, dials: dials() };
}

/** Outages of these lengths, one after the other; the last kind of client is ours. */
export async function recoveries(
  label: string,
  kinds: readonly Peer[],
  port: number,
  outagesS: readonly number[],
): Promise<{ rows: string[][]; goals: Goal[] }> {
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const seconds of outagesS) {
    progress(`${label}: outages of ${seconds} s`);
    report(seconds, await all(kinds, port, seconds * 1e3), rows, goals);
  }
  return { rows, goals };
}

/** The lengths of the outages, in seconds. */
export function outageLengths({ full, outagesS }: BenchOptions): readonly number[] {
  return outagesS ?? (full ? FULL_S : SHORT_S);
}

/** How it is measured, in lines. */
export const recoveryMethod: readonly string[] = [
  `${CLIENTS} clients of each kind, each behind a proxy of its own, all at the same time`,
  `a call every ${CALL_EVERY_DOWN_MS} ms, every ${CALL_EVERY_BACK_MS} ms once the server is back`,
  `outages longer than their name by 0 to ${SPREAD * 100} %, evenly spread, so that no grid of attempts is favoured`,
];

export const recoveryColumns: readonly string[] = [
  "outage, client",
  "mean ms",
  "p90 ms",
  "max ms",
  "dials, mean",
];

export const dialsNote =
  "Dials are TCP connection attempts of this process, refused ones included, from the cut to the last answer.";

export const recovery: Bench = {
  title: "from the server's return to the first answer",
  async run(options) {
    await using server = await startServer("redis");
    const kinds = [...peers, holdfastRedis];
    const { rows, goals } = await recoveries("recovery", kinds, server.port, outageLengths(options));
    return {
      method: [
        `Redis ${server.version} behind a fault proxy for each kind of client: cut by RST, then refused; then open again`,
        "every client at its defaults; the call is a GET",
        ...recoveryMethod,
      ],
      tables: [{ columns: recoveryColumns, rows }],
      goals,
      notes: [dialsNote],
    };
  },
};

async function all(kinds: readonly Peer[], port: number, atLeastMs: number): Promise<Map<string, Found>> {
  const runners: Runner[] = [];
  try {
    for (const peer of kinds) {
      for (let i = 0; i < CLIENTS; i++) {
        const proxy = await faultProxy({ upstream: { host: "127.0.0.1", port } });
        const client = peer.open(proxy.port);
        runners.push({ peer, proxy, client });
        await untilAnswered(client);
      }
    }
    await sleep(5_500); // what counts a connection as stable has counted it
    const measured = runners.map((runner, i) =>
      outage(runner, atLeastMs * (1 + (SPREAD * ((i % CLIENTS) + 0.5)) / CLIENTS)),
    );
    const found = new Map<string, Found>(kinds.map(({ name }) => [name, { recoveryMs: [], dials: [] }]));
    for (const [i, { ms, dials }] of (await Promise.all(measured)).entries()) {
      const own = found.get(runners[i]?.peer.name ?? "") as Found;
      own.recoveryMs.push(ms);
      own.dials.push(dials);
    }
    return found;
  } finally {
    for (const { client, proxy } of runners) {
      client.close();
      await proxy.close();
    }
  }
}

function report(seconds: number, found: ReadonlyMap<string, Found>, rows: string[][], goals: Goal[]): void {
  const random = bootstrapRandom();
  const ours = [...found.keys()].at(-1) as string;
  const own = found.get(ours) as Found;
  for (const [name, { recoveryMs, dials }] of found) {
    rows.push([
      `${seconds} s, ${name}`,
      withInterval(meanInterval(recoveryMs, random)),
      figure(quantile(recoveryMs, 0.9)),
      figure(Math.max(...recoveryMs)),
      withInterval(meanInterval(dials, random)),
    ]);
    if (name === ours) continue;
    const goal = (what: string, unit: string, measured: Interval): Goal => ({
      goal: `outage of ${seconds} s: ${what} ${name}`,
      measured,
      unit,
      verdict: verdict(measured, { atMost: 1 }, WIDEST),
    });
    goals.push(
      goal("recovery time, at most that of", "of theirs", ratioOfMeans(own.recoveryMs, recoveryMs, random)),
      goal("dials, at most those of", "of theirs", ratioOfMeans(own.dials, dials, random)),
    );
  }
}
