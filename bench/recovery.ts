/** From "the server is back" to the first answered call, and what it cost in dials. */
import { type FaultProxy, faultProxy, startServer } from "../src/lab/index.ts";
import { systemClock } from "../src/time/index.ts";
import type { Bench, BenchOptions } from "./bench.ts";
import { countDials } from "./dials.ts";
import { progress } from "./harness.ts";
import { holdfastRedis, holdfastRedisSparing, type Peer, type PeerClient, peers } from "./peers.ts";
import { type Comparison, compared, type Found, type Recoveries, recoveryTables } from "./recovery-report.ts";

const SHORT_S = [1, 3, 10];
const FULL_S = [1, 3, 10, 30, 60, 120];
/** Clients of each kind, each behind a proxy of its own. */
const CLIENTS = 64;
/** The outages of the clients are longer by up to this share: grids of attempts are met at every phase. */
const SPREAD = 0.5;
const CALL_EVERY_DOWN_MS = 100;
const CALL_EVERY_BACK_MS = 20;
const GIVE_UP_MS = 60_000;
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

/** Outages of these lengths, one after the other, of all these kinds at once. */
export async function recoveries(
  label: string,
  kinds: readonly Peer[],
  port: number,
  outagesS: readonly number[],
): Promise<Recoveries> {
  const found = new Map<number, ReadonlyMap<string, Found>>();
  for (const seconds of outagesS) {
    progress(`${label}: outages of ${seconds} s`);
    found.set(seconds, await all(kinds, port, seconds * 1e3));
  }
  return found;
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

export const dialsNote =
  "Dials are TCP connection attempts of this process, refused ones included, from the cut to the last answer.";

/**
 * A mean wait of half an interval costs one dial in each: after a long outage nobody is as soon as node-redis and as
 * rare as ioredis. So each is met at its own expense of dials.
 */
const comparisons: readonly Comparison[] = [
  { ours: holdfastRedis.name, theirs: "node-redis", waitAtMost: 1, dialsAtMost: 1 },
  { ours: holdfastRedisSparing.name, theirs: "ioredis", waitAtMost: 1, dialsAtMost: 1 },
  { ours: holdfastRedis.name, theirs: "ioredis", waitAtMost: 1 },
];

export const recovery: Bench = {
  title: "from the server's return to the first answer",
  async run(options) {
    await using server = await startServer("redis");
    const kinds = [...peers, holdfastRedis, holdfastRedisSparing];
    const found = await recoveries("recovery", kinds, server.port, outageLengths(options));
    return {
      method: [
        `Redis ${server.version} behind a fault proxy for each kind of client: cut by RST, then refused; then open again`,
        'every client at its defaults (the last: `backoff: "holdfast-sparing"`); the call is a GET',
        ...recoveryMethod,
      ],
      tables: recoveryTables(found, comparisons),
      goals: compared(found, comparisons),
      notes: [
        dialsNote,
        "Half an interval between dials is the mean wait: after 10 s and more no client can be as soon as node-redis and as rare as ioredis. Ours is compared with each at its own expense of dials.",
      ],
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
