/** Processes by their parent, from the kernel's tables (Linux); elsewhere nothing is known of them. */
import { readdirSync, readFileSync } from "node:fs";

/** A process's state letter (`R`, `S`, `T`, `Z` …) and parent; `undefined` when it is gone. */
function look(pid: number): { state: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

export function stateOf(pid: number): string | undefined {
  return look(pid)?.state;
}

/** False for a process that is gone, or dead and only not yet asked for by its parent. */
export function isAlive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== undefined && state !== "Z" && state !== "X";
}

export function childrenOf(pid: number): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => look(each)?.parent === pid);
}
