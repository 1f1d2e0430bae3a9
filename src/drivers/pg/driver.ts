/** Teaches the engine pg: what a link and a pool's leases have in common. */
import type { Driver, Session } from "../../link/index.ts";
import { type DialPlan, dialPg } from "./dial.ts";
import { classifyPgCall, classifyPgLink } from "./errors.ts";
import type { Physical } from "./physical.ts";

/** Nothing to plan, nothing to run, answered also inside a failed transaction. */
export const probeText = "";

export function baseDriver(): Omit<Driver<Physical>, "open" | "close"> {
  return {
    name: "pg",
    restore: async (physical, session) => ({ restored: await restore(physical, session) }),
    async probe(physical) {
      await physical.ask(probeText);
    },
    takeBack: (physical) => physical.takeBack(),
    classifyLink: classifyPgLink,
    classifyCall: (error, evidence, call) =>
      evidence.unsent ? { outcome: "not-applied" } : classifyPgCall(error, evidence.lost, call),
  };
}

/** A driver for one connection of its own, dialled anew for each epoch. */
export function ownDriver(plan: DialPlan): Driver<Physical> {
  return {
    ...baseDriver(),
    async open(dial) {
      const physical = await dialPg(plan, {
        endpoint: dial.endpoint,
        signal: dial.signal,
        step: (name) => dial.step(name),
        tap: (socket) => dial.tap(socket),
        lost: () => {},
      });
      physical.sink = dial.sink;
      physical.listen();
      if (physical.lostCause !== undefined) throw physical.lostCause;
      return physical;
    },
    async close(physical, how, deadlineMs) {
      if (how === "abrupt" || deadlineMs <= 0) physical.destroy();
      else await physical.end();
      await physical.gone();
    },
  };
}

/** Statement by statement, in order; one that is refused makes the attempt fail: a half restored session is none. */
async function restore(physical: Physical, session: Session): Promise<string[]> {
  const restored: string[] = [];
  for (const { key, value } of session.items) {
    const sql = String(value);
    if (physical.restored.get(key) !== sql) await physical.ask(sql);
    physical.restored.set(key, sql);
    physical.dirty = true;
    restored.push(key);
  }
  return restored;
}
