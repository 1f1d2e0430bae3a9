/** `holdfast/nats` beside nats.js itself: what a healthy connection costs, and what an outage does to both. */
import { connect as bareConnect, type NatsConnection } from "@nats-io/transport-node";
import { connect } from "../src/drivers/nats/index.ts";
import { startServer } from "../src/lab/index.ts";
import type { Bench } from "./bench.ts";
import { message, startChild } from "./children.ts";
import { bootstrapRandom, interleave, type Rounds } from "./harness.ts";
import { lostColumns, lostMessages, lostMethod } from "./nats-lost.ts";
import { ECHO, natsPeers } from "./nats-peers.ts";
import { dialsNote, outageLengths, recoveries, recoveryMethod } from "./recovery.ts";
import { type Comparison, compared, recoveryTables } from "./recovery-report.ts";
import { figure, type Goal, withInterval } from "./report.ts";
import { median, pairedRatio, verdict } from "./statistics.ts";

const GOAL = 0.9;
/** An interval of the ratio wider than this decides nothing. */
const WIDEST = 0.1;
const AT_ONCE = 100;
const payload = new Uint8Array(20).fill(120);

interface Shape {
  readonly name: string;
  readonly ops: number;
  run(nc: NatsConnection, ops: number): Promise<void>;
}

const shapes: readonly Shape[] = [
  {
    name: "publish, 1,000 and a flush",
    ops: 20_000,
    async run(nc, ops) {
      for (let i = 0; i < ops; i += 1_000) {
        for (let k = 0; k < 1_000; k++) nc.publish("bench.publish", payload);
        await nc.flush();
      }
    },
  },
  {
    name: "request, one at a time",
    ops: 1_000,
    async run(nc, ops) {
      for (let i = 0; i < ops; i++) await nc.request(ECHO, payload, { timeout: 5_000 });
    },
  },
  {
    name: `request, ${AT_ONCE} at once`,
    ops: 5_000,
    async run(nc, ops) {
      for (let i = 0; i < ops; i += AT_ONCE)
        await Promise.all(
          Array.from({ length: AT_ONCE }, () => nc.request(ECHO, payload, { timeout: 5_000 })),
        );
    },
  },
];

async function overhead(port: number, how: Omit<Rounds, "ops">) {
  const bare = await bareConnect({ port });
  const own = await connect({ port });
  const rows: string[][] = [];
  const goals: Goal[] = [];
  const random = bootstrapRandom();
  for (const { name, ops, run } of shapes) {
    const sides = [bare, own].map((nc, i) => ({
      name: natsPeers[i]?.name ?? "",
      run: (count: number) => run(nc, count),
    }));
    const [theirs = [], ours = []] = await interleave(`nats, ${name}`, sides, { ...how, ops });
    const speed = pairedRatio(theirs, ours, random);
    rows.push([`${name}: nats.js`, figure(median(theirs) / 1e3), withInterval(speed)]);
    rows.push([`${name}: holdfast/nats`, figure(median(ours) / 1e3), ""]);
    goals.push({
      goal: `${name}: at least ${GOAL} of the speed of nats.js`,
      measured: speed,
      unit: "",
      verdict: verdict(speed, { atLeast: GOAL }, WIDEST),
    });
  }
  await bare.close();
  await own.close();
  return { rows, goals };
}

/** Both wait 2 s between dials: equal, within what such a run can tell. */
const comparisons: readonly Comparison[] = [
  { ours: "holdfast/nats", theirs: "nats.js", waitAtMost: 1.1, dialsAtMost: 1.1 },
];

export const nats: Bench = {
  title: "NATS: a healthy connection, and outages, beside nats.js",
  async run(options) {
    const how = { rounds: options.full ? 200 : 60, warmups: 10, collects: false };
    const outagesS = outageLengths(options);
    await using server = await startServer("nats");
    const responder = startChild("./nats-responder.js", String(server.port));
    try {
      await message(responder);
      const cost = await overhead(server.port, how);
      const back = await recoveries("nats", natsPeers, server.port, outagesS);
      const lost = await lostMessages(server.port, outagesS);
      return {
        method: [
          `nats-server ${server.version} and a responder in processes of their own, loopback; messages of ${payload.length} bytes`,
          `${how.rounds} rounds for each row, in turn; requests pass the server twice`,
          "outages: a fault proxy before each client, cut by RST, then refused, then open again; clients at their defaults, but never giving up",
          ...recoveryMethod,
          `messages: ${lostMethod}`,
        ],
        tables: [
          { columns: ["", "µs each", "speed of ours against it"], rows: cost.rows },
          ...recoveryTables(back, comparisons),
          { columns: lostColumns, rows: lost.rows },
        ],
        goals: [...cost.goals, ...compared(back, comparisons), ...lost.goals],
        notes: [
          dialsNote,
          "No collection is forced between measurements: it throws compiled code away, and the compiler was measured.",
          "At its own default nats.js gives up for good after 10 attempts, some 20 s.",
        ],
      };
    } finally {
      responder.kill();
    }
  },
};
