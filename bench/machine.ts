/** Steps per second of the pure state machine: what the fleet simulator and every real link run on. */
import { boundedExponential, immediately } from "../src/backoff/index.ts";
import { initialState, type LinkEffect, type LinkEvent, step } from "../src/link/index.ts";
import { resolveResilience } from "../src/options/index.ts";
import { seededRandom } from "../src/time/index.ts";
import type { Bench } from "./bench.ts";
import { bootstrapRandom, interleave, type Side } from "./harness.ts";
import { withInterval } from "./report.ts";
import { medianInterval } from "./statistics.ts";

const { policy } = resolveResilience({ retryInitial: true });
const timer: LinkEvent = { type: "timer", name: "phase" };
const failure = new Error("connection refused");

/** What the world answers to an effect: every dial is refused, or every connection is lost as soon as it is ready. */
function answer(effect: LinkEffect, epoch: number, refuse: boolean): LinkEvent | undefined {
  switch (effect.type) {
    case "requestPermit":
      return { type: "granted" };
    case "dial":
      return refuse
        ? { type: "failed", epoch, linkClass: "transient", cause: failure }
        : { type: "dialed", epoch };
    case "restore":
      return { type: "restored", epoch, version: 0 };
    case "openGate":
      return { type: "lost", epoch, linkClass: "transient", cause: failure, pending: 0 };
    case "discard":
    case "closeConnection":
      return { type: "connectionClosed", epoch: effect.epoch };
    default:
      return undefined;
  }
}

function side(name: string, endpoints: number, refuse: boolean): Side {
  return {
    name,
    run(ops) {
      const random = seededRandom(1);
      const given = Array.from({ length: endpoints }, (_, i) => ({ host: `h${i}`, port: 1 }));
      let nowMs = 0;
      let state = initialState(policy, given, {}, { nowMs, random });
      const queue: LinkEvent[] = [{ type: "start" }];
      for (let done = 0; done < ops; done++) {
        nowMs += 6_000; // every connection is stable, every wait is over
        const event = queue.shift() ?? timer;
        const [next, effects] = step(state, event, { nowMs, random });
        state = next;
        for (const effect of effects) {
          const event = answer(effect, state.epoch, refuse);
          if (event !== undefined) queue.push(event);
        }
      }
      if (state.phase === "closed" || state.epoch < ops / 10) throw new Error("the machine stood still");
    },
  };
}

export const machine: Bench = {
  title: "steps of the pure state machine",
  async run({ full }) {
    const sides = [
      side("refused dials, 1 endpoint", 1, true),
      side("refused dials, 3 endpoints", 3, true),
      side("loss and reconnect, 1 endpoint", 1, false),
      side("loss and reconnect, 3 endpoints", 3, false),
    ];
    const how = { ops: 100_000, rounds: full ? 40 : 15, warmups: 2 };
    const ns = await interleave("machine", sides, how);
    return perSecond(sides, ns, "steps", [
      `${how.rounds} rounds of 100,000 steps each; the schedule is ours, jitter from a seeded generator`,
    ]);
  },
};

export const backoff: Bench = {
  title: "delays drawn from a schedule",
  async run({ full }) {
    const sides = [immediately(boundedExponential({ minMs: 50, baseMs: 200, capMs: 10_000 }))].map(
      (curve): Side => ({
        name: curve.description,
        run(ops) {
          const random = seededRandom(1);
          let schedule = curve.start();
          for (let i = 0; i < ops; i++) {
            const drawn = schedule.next(random, { attempt: i % 20, elapsedMs: i });
            if ("exhausted" in drawn) throw new Error("our schedule never ends");
            schedule = i % 20 === 19 ? curve.start() : drawn.schedule;
          }
        },
      }),
    );
    const how = { ops: 200_000, rounds: full ? 40 : 15, warmups: 2 };
    const ns = await interleave("backoff", sides, how);
    return perSecond(sides, ns, "delays", [`${how.rounds} rounds of 200,000 delays, 20 to an episode`]);
  },
};

function perSecond(sides: readonly Side[], ns: readonly number[][], what: string, method: readonly string[]) {
  const random = bootstrapRandom();
  const rows = sides.map(({ name }, i) => {
    const each = ns[i] as number[];
    const rate = medianInterval(
      each.map((value) => 1e3 / value),
      random,
    );
    return [name, withInterval(medianInterval(each, random)), withInterval(rate)];
  });
  return {
    method,
    tables: [{ columns: ["", "ns each", `million ${what} a second`], rows }],
    goals: [],
    notes: [],
  };
}
