/** What a call pays for passing through the gate of a ready link. */
import { type CallDescription, type Driver, Link } from "../src/index.ts";
import { resolveResilience } from "../src/options/index.ts";
import type { Bench } from "./bench.ts";
import { bootstrapRandom, interleave, type Side } from "./harness.ts";
import { figure, withInterval } from "./report.ts";
import { median, pairedDifference, verdict } from "./statistics.ts";

const GOAL_NS = 500;
const WIDEST_NS = 200;

const driver: Driver<object> = {
  name: "none",
  open: () => Promise.resolve({}),
  restore: () => Promise.resolve({ restored: [] }),
  close: () => Promise.resolve(),
  classifyLink: () => "transient",
  classifyCall: () => "answered",
};

const send = (): Promise<number> => Promise.resolve(1);
const plain: CallDescription = { bytes: 10, effect: "once", kind: "unary" };
const withDeadline: CallDescription = { ...plain, deadlineMs: 5_000 };

export const gate: Bench = {
  title: "a call through the gate of a ready link, over the bare await",
  async run({ full }) {
    const link = new Link<object>({
      ...resolveResilience({}),
      name: "gate",
      driver,
      endpoints: [{ host: "127.0.0.1", port: 1 }],
    });
    await link.connect();
    const oneByOne = (name: string, call: () => Promise<number>): Side => ({
      name,
      run: async (ops) => {
        for (let i = 0; i < ops; i++) await call();
      },
    });
    const thousand = (name: string, call: () => Promise<number>): Side => ({
      name,
      run: async (ops) => {
        for (let done = 0; done < ops; done += 1_000) {
          const batch: Promise<number>[] = [];
          for (let i = 0; i < 1_000; i++) batch.push(call());
          await Promise.all(batch);
        }
      },
    });
    const sides = [oneByOne, thousand].flatMap((shape) => [
      shape("bare await", send),
      shape("through the gate", () => link.call(plain, send)),
      shape("through the gate, with a deadline", () => link.call(withDeadline, send)),
    ]);
    const how = { ops: 100_000, rounds: full ? 60 : 20, warmups: 3 };
    const ns = await interleave("gate", sides, how);
    await link.close();
    const random = bootstrapRandom();
    const rows = sides.map(({ name }, i) => {
      const bare = ns[i < 3 ? 0 : 3] as number[];
      const own = ns[i] as number[];
      const over = i % 3 === 0 ? "" : withInterval(pairedDifference(own, bare, random));
      return [i < 3 ? `${name}, one at a time` : `${name}, 1,000 at once`, figure(median(own)), over];
    });
    const goal = (what: string, at: number, from: number) => {
      const measured = pairedDifference(ns[at] as number[], ns[from] as number[], random);
      return {
        goal: `a call with a deadline, ${what}: at most ${GOAL_NS} ns over the bare await`,
        measured,
        unit: "ns",
        verdict: verdict(measured, { atMost: GOAL_NS }, WIDEST_NS),
      };
    };
    return {
      method: [
        `a driver that answers at once; ${how.rounds} rounds of ${figure(how.ops)} calls for each row, in turn`,
      ],
      tables: [{ columns: ["call", "ns", "ns over the bare await"], rows }],
      goals: [goal("one at a time", 2, 0), goal("1,000 at once", 5, 3)],
      notes: [],
    };
  },
};
