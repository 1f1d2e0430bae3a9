/** From "the server is back" to the first answered call, and what it cost in dials. */
import { type FaultProxy, faultProxy, startServer } from "../src/lab/index.ts";
import { systemClock, uniform } from "../src/time/index.ts";
import type { Bench } from "./bench.ts";
import { countDials } from "./dials.ts";
import { bootstrapRandom, progress } from "./harness.ts";
import { holdfastRedis, type Peer, type PeerClient, peers } from "./peers.ts";
import { figure, type Goal, withInterval } from "./report.ts";
import { type Interval, medianInterval, quantile, ratioOfMedians, verdict } from "./statistics.ts";

const SHORT_S = [1, 3, 10];
const FULL_S = [1, 3, 10, 30, 60, 120];
/** Clients of each kind: each draws its own jitter. */
const CLIENTS = 16;
/** Each outage is longer by up to this, so that fixed grids of attempts are met at every phase. */
const SPREAD_MS = 400;
const CALL_EVERY_DOWN_MS = 100;
const CALL_EVERY_BACK_MS = 20;
const GIVE_UP_MS = 60_000;
/** A ratio of recovery times across the goal and wider than this decides nothing. */
const WIDEST = 0.25;

interface Found {
  readonly recoveryMs: number[];
  /** Mean for each client, from the cut to the first answer of the last client. */
  readonly dials: number[];
}

interface Runner {
  readonly peer: Peer;
  readonly proxy: FaultProxy;
  readonly clients: readonly PeerClient[];
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

/** All clients of all kinds lose their server together and get it back together. */
async function outage(runners: readonly Runner[], lengthMs: number): Promise<Map<string, Found>> {
  const dials = new Map(runners.map(({ peer, proxy }) => [peer.name, countDials(proxy.port)]));
  const refusing = await Promise.all(runners.map(({ proxy }) => proxy.fault({ kind: "refuse" })));
  for (const { proxy } of runners) proxy.cut("rst");
  let tellBack: (atMs: number) => void = () => {};
  const back = new Promise<number>((resolve) => {
    tellBack = resolve;
  });
  const answers = runners.map(({ clients }) => clients.map((client) => firstAnswer(client, back)));
  await sleep(lengthMs);
  await Promise.all(refusing.map((fault) => fault.undo()));
  const backMs = systemClock.nowMs();
  tellBack(backMs);
  const found = runners.map(async ({ peer }, i): Promise<[string, Found]> => {
    const answeredMs = await Promise.all(answers[i] ?? []);
    const made = dials.get(peer.name)?.() ?? 0;
    return [
      peer.name,
      { recoveryMs: answeredMs.map((ms) => ms - backMs), dials: [made / answeredMs.length] },
    ];
  });
  return new Map(await Promise.all(found));
}

export const recovery: Bench = {
  title: "from the server's return to the first answer",
  async run({ full, outagesS = full ? FULL_S : SHORT_S }) {
    const random = bootstrapRandom();
    await using server = await startServer("redis");
    const kinds = [...peers, holdfastRedis];
    const rows: string[][] = [];
    const goals: Goal[] = [];
    for (const seconds of outagesS) {
      const repeats = full || seconds <= 3 ? 3 : 1;
      const found = new Map<string, Found>(kinds.map(({ name }) => [name, { recoveryMs: [], dials: [] }]));
      for (let repeat = 0; repeat < repeats; repeat++) {
        progress(`recovery: outage of ${seconds} s, ${repeat + 1} of ${repeats}`);
        const one = await once(kinds, server.port, seconds * 1e3 + uniform(random, 0, SPREAD_MS));
        for (const [name, { recoveryMs, dials }] of one) {
          found.get(name)?.recoveryMs.push(...recoveryMs);
          found.get(name)?.dials.push(...dials);
        }
      }
      report(seconds, found, rows, goals);
    }
    return {
      method: [
        `Redis ${server.version} behind a fault proxy for each kind of client: cut by RST, then refused; then open again`,
        `${CLIENTS} clients of each kind at their defaults, all at the same time; a GET every ${CALL_EVERY_DOWN_MS} ms, every ${CALL_EVERY_BACK_MS} ms once the server is back`,
        `outages up to 3 s: 3 times; longer: ${full ? "3 times" : "once"}; each longer by up to ${SPREAD_MS} ms, at random`,
      ],
      tables: [
        {
          columns: ["outage, client", "median ms", "p90 ms", "max ms", "dials per client"],
          rows,
        },
      ],
      goals,
      notes: [
        "Dials are TCP connection attempts of this process, refused ones included, from the cut to the last answer.",
      ],
    };
  },
};

async function once(kinds: readonly Peer[], port: number, lengthMs: number): Promise<Map<string, Found>> {
  const runners: Runner[] = [];
  try {
    for (const peer of kinds) {
      const proxy = await faultProxy({ upstream: { host: "127.0.0.1", port } });
      const clients = Array.from({ length: CLIENTS }, () => peer.open(proxy.port));
      runners.push({ peer, proxy, clients });
      await Promise.all(clients.map(untilAnswered));
    }
    await sleep(5_500); // what counts a connection as stable has counted it
    return await outage(runners, lengthMs);
  } finally {
    for (const { clients, proxy } of runners) {
      for (const client of clients) client.close();
      await proxy.close();
    }
  }
}

function report(seconds: number, found: ReadonlyMap<string, Found>, rows: string[][], goals: Goal[]): void {
  const random = bootstrapRandom();
  const own = found.get(holdfastRedis.name) as Found;
  for (const [name, { recoveryMs, dials }] of found) {
    rows.push([
      `${seconds} s, ${name}`,
      withInterval(medianInterval(recoveryMs, random)),
      figure(quantile(recoveryMs, 0.9)),
      figure(Math.max(...recoveryMs)),
      withInterval(medianInterval(dials, random)),
    ]);
    if (name === holdfastRedis.name) continue;
    const goal = (what: string, unit: string, measured: Interval): Goal => ({
      goal: `outage of ${seconds} s: ${what} ${name}`,
      measured,
      unit,
      verdict: verdict(measured, { atMost: 1 }, WIDEST),
    });
    goals.push(
      goal("recovery time, at most that of", "of theirs", ratioOfMedians(own.recoveryMs, recoveryMs, random)),
      goal("dials, at most those of", "of theirs", ratioOfMedians(own.dials, dials, random)),
    );
  }
}
