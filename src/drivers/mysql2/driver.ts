/** Teaches the engine mysql2: what a link and a pool's leases have in common. */
import type { CallDescription } from "../../call/index.ts";
import { HoldfastError } from "../../call/index.ts";
import type { Driver, Session } from "../../link/index.ts";
import { type DialPlan, dialMysql } from "./dial.ts";
import { classifyMysqlCall, classifyMysqlLink } from "./errors.ts";
import type { LibraryConfig } from "./library.ts";
import type { Physical } from "./physical.ts";

/** Who the session belongs to since `changeUser`. */
export const identityKey = "identity";

export function baseDriver(): Omit<Driver<Physical>, "open" | "close"> {
  return {
    name: "mysql2",
    restore: async (physical, session) => ({ restored: await restore(physical, session) }),
    async probe(physical) {
      await physical.run((connection, done) => connection.ping(done));
    },
    takeBack: (physical) => physical.takeBack(),
    classifyLink: classifyMysqlLink,
    classifyCall(error, evidence, call) {
      return evidence.unsent ? { outcome: "not-applied" } : judge(error, evidence.lost, call);
    },
  };
}

function judge(error: unknown, lost: boolean, call: CallDescription) {
  if (error instanceof HoldfastError && error.code === "HF_UNRECOVERABLE") return "answered" as const;
  return classifyMysqlCall(error, lost, call);
}

/** A driver for one connection of its own, dialled anew for each epoch. */
export function ownDriver(plan: () => DialPlan): Driver<Physical> {
  return {
    ...baseDriver(),
    async open(dial) {
      const identity = dial.session.get(identityKey) as Partial<LibraryConfig> | undefined;
      const physical = await dialMysql(plan(), {
        endpoint: dial.endpoint,
        signal: dial.signal,
        ...(identity !== undefined && { identity }),
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
    if (key === identityKey) continue;
    const sql = String(value);
    if (physical.restored.get(key) !== sql) await physical.query(sql);
    physical.restored.set(key, sql);
    physical.dirty = true;
    restored.push(key);
  }
  return restored;
}
