/** `pool.resilience`: what a pool is doing, and what can be done with it. */
import { reasonOf, redact } from "../call/index.ts";
import type { ElasticPool, PoolEvents, PoolLimits, PoolStats } from "../pool/index.ts";
import type { Health } from "./health.ts";

export interface PoolResilience {
  /** Listens to an event; returns what removes the listener. */
  on<K extends keyof PoolEvents>(name: K, listener: (event: PoolEvents[K]) => void): () => void;
  /** Counts, plain data, safe to log. */
  snapshot(): Omit<PoolStats, "lastError"> & { readonly lastError: string | undefined };
  /** One sentence: state, reason, next step. */
  explain(): string;
  health(): Health;
  /** Resolves when a connection can be had; rejects as an acquire does. */
  whenReady(signal?: AbortSignal): Promise<void>;
  /** Changes limits at run time. */
  configure(limits: PoolLimits): void;
  /** Parks new callers until `resume`; their deadlines go on. */
  suspend(): void;
  resume(): void;
  /** Replaces every connection: idle ones now, those in use when they come back, with `hard` at once. */
  evict(options?: { readonly hard?: boolean }): void;
  /** Ends the pool; those in use are awaited for `deadlineMs` (default 10 s). */
  close(options?: { readonly deadlineMs?: number }): Promise<void>;
}

export function poolResilience<C>(pool: ElasticPool<C>): PoolResilience {
  return {
    on: (name, listener) => pool.on(name, listener),
    snapshot: () => snapshotOf(pool.stats()),
    explain: () => explain(pool.stats()),
    health: () => health(pool.stats()),
    async whenReady(signal) {
      const lease = await pool.acquire(signal === undefined ? {} : { signal });
      lease.release();
    },
    configure: (limits) => pool.configure(limits),
    suspend: () => pool.suspend(),
    resume: () => pool.resume(),
    evict: (options) => pool.evict(options),
    close: (options) => pool.close(options),
  };
}

function snapshotOf(stats: PoolStats): ReturnType<PoolResilience["snapshot"]> {
  const { lastError, ...counts } = stats;
  return { ...counts, lastError: lastError === undefined ? undefined : reasonOf(lastError) };
}

function explain(stats: PoolStats): string {
  const { open, max, inUse, idle, dialing, waiting, lastError } = stats;
  const counts = `${open} of ${max} connections open, ${inUse} in use, ${idle} idle`;
  const more = `${dialing > 0 ? `, ${dialing} being dialled` : ""}${waiting > 0 ? `; ${waiting} callers waiting` : ""}`;
  const because = open === 0 && lastError !== undefined ? `; last error: ${reasonOf(lastError)}` : "";
  return redact(counts + more + because);
}

function health(stats: PoolStats): Health {
  const reason = explain(stats);
  const failing = stats.open === 0 && stats.lastError !== undefined;
  if (failing && stats.waiting === 0 && stats.dialing === 0) return { status: "down", reason, downMs: 0 };
  return { status: failing ? "degraded" : "up", reason, downMs: 0 };
}
