import { Emitter } from "../link/index.ts";
import { CoarseTimers } from "../time/index.ts";
import * as check from "./check.ts";
import type { Entry } from "./entry.ts";
import { acquireTimeout, type PoolCounts, poolClosed, queueFull, refused } from "./errors.ts";
import type { PoolEvents } from "./events.ts";
import { LeakWatch } from "./leaks.ts";
import type { Lease } from "./lease.ts";
import { Moments } from "./moments.ts";
import {
  type PoolLimits,
  type PoolOptions,
  type ResolvedPoolOptions,
  resolveLimits,
  resolvePool,
} from "./options.ts";
import { Shutdown } from "./shutdown.ts";
import { type PoolStats, Tally } from "./stats.ts";
import { Stock } from "./stock.ts";
import { type Terms, Waiter } from "./waiter.ts";
import { WaitQueue } from "./waiters.ts";

export interface AcquireOptions {
  /** How long this call may take in all, ms. Default `acquireTimeoutMs`. With 0 only a connection at hand will do. */
  readonly deadlineMs?: number;
  /** Leaves the queue; the promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** What the caller holds in memory while it waits, against `maxWaitingBytes`. Default 0. */
  readonly bytes?: number;
  /** A whole number from −10 to 10; higher goes first, equal ones in the order they came. Default 0. */
  readonly priority?: number;
}

/**
 * A pool that grows by need and shrinks by idleness. Callers wait on the pool, never on a dial: whatever comes free
 * first, a returned connection or a new one, serves the first in the queue; dials nobody needs any more are not
 * started. (HikariCP's prime directive.)
 *
 * Errors of `acquire`: `HF_DEADLINE` (step `acquire`), `HF_POOL_FULL`, `HF_AUTH` and `HF_CONNECT` (a dial failed for
 * good), `HF_CLOSED`. All are `not-applied`.
 */
export class ElasticPool<C> {
  readonly #options: ResolvedPoolOptions<C>;
  readonly #waiters: WaitQueue<C>;
  readonly #stock: Stock<C>;
  readonly #leaks: LeakWatch<C>;
  readonly #moments: Moments;
  readonly #shutdown: Shutdown;
  readonly #emitter: Emitter<PoolEvents> = new Emitter<PoolEvents>();
  readonly #tally: Tally = new Tally();
  /** On which callers wait who say nothing else. */
  #terms: Terms<C>;

  /** Dials nothing, unless `min` asks for it. @throws `HF_OPTION` */
  constructor(options: PoolOptions<C>) {
    const resolved = resolvePool(options);
    const { clock } = resolved.world;
    const timers = new CoarseTimers(clock);
    this.#options = resolved;
    this.#waiters = new WaitQueue(timers, clock, (waiter, nowMs) => this.#timedOut(waiter, nowMs));
    this.#leaks = new LeakWatch(clock, timers, (entry, heldMs) => this.#tellLeak("leak", entry, heldMs));
    this.#leaks.thresholdMs = resolved.limits.leakThresholdMs;
    this.#moments = new Moments(clock, timers);
    this.#terms = this.#waiters.terms(resolved.limits.acquireTimeoutMs, 0, 0);
    this.#stock = new Stock<C>(resolved, {
      ...{ timers, waiters: this.#waiters, tally: this.#tally, moments: this.#moments, leaks: this.#leaks },
      leakReturned: (entry) => this.#tellLeak("leakReturned", entry, this.#moments.now() - entry.leasedAtMs),
      returnedTwice: (origin) => this.#returnedTwice(origin),
      emit: (name, event) => this.#emit(name, event),
      gone: () => this.#shutdown.check(),
    });
    this.#shutdown = new Shutdown(clock, {
      remaining: () => this.#stock.open + this.#stock.closer.pending,
      force: () => {
        for (const entry of [...this.#stock.entries]) this.#stock.retire(entry, "closed", "abrupt");
        this.#stock.closer.force();
      },
      finished: () => this.#emit("closed", {}),
    });
    this.#stock.pump();
  }

  /** Adds a listener; returns what removes it. */
  on<K extends keyof PoolEvents>(name: K, listener: (event: PoolEvents[K]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /** Lends a connection that is at hand and proven, without a turn of the loop; `undefined` means: `acquire` it. */
  acquireNow(): Lease<C> | undefined {
    if (this.#stock.closing || this.#waiters.size > 0) return undefined;
    return this.#stock.lendNow(this.#leaks.enabled ? new Error("acquired here") : undefined);
  }

  /** Lends a connection. Give it back with `lease.release()`, or let `await using` do it. */
  acquire(options?: AcquireOptions): Promise<Lease<C>> {
    const stock = this.#stock;
    if (stock.closing) return Promise.reject(poolClosed(this.#options.name));
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason);
    const origin = this.#leaks.enabled ? new Error("acquired here") : undefined;
    if (this.#waiters.size === 0) {
      const lease = stock.lendNow(origin);
      if (lease !== undefined) return Promise.resolve(lease);
    }
    return this.#wait(options, origin);
  }

  /**
   * Runs `work` with a connection and gives it back. After an error of `work` the connector says whether it is still
   * good (`survives`); without an answer it is validated before its next use.
   */
  async use<T>(work: (connection: C) => Promise<T> | T, options?: AcquireOptions): Promise<T> {
    const lease = await this.acquire(options);
    const { connection } = lease;
    let result: T;
    try {
      result = await work(connection);
    } catch (error) {
      const survives = this.#options.connector.survives?.(error, connection);
      if (survives === undefined) lease.doubt();
      else lease.release(survives ? undefined : (error ?? new Error("the work failed")));
      throw error;
    }
    lease.release();
    return result;
  }

  /** Changes limits at run time: a lower one closes idle connections now and those in use on their return. */
  configure(limits: PoolLimits): void {
    const { max, maxIdle } = this.#stock.limits;
    // A ceiling that followed `max` keeps following it; one that a lower `max` cuts is cut, as in database/sql.
    const newMax = limits.max ?? max;
    const ceiling = limits.maxIdle ?? (maxIdle === max ? newMax : Math.min(maxIdle, newMax));
    const { acquireTimeoutMs = this.#stock.limits.acquireTimeoutMs } = limits;
    const validationTimeoutMs = Math.min(this.#stock.limits.validationTimeoutMs, acquireTimeoutMs);
    const merged = { ...this.#stock.limits, validationTimeoutMs, ...limits, maxIdle: ceiling };
    this.#stock.limits = resolveLimits(merged, this.#options.connector);
    this.#leaks.thresholdMs = this.#stock.limits.leakThresholdMs;
    this.#terms = this.#waiters.terms(this.#stock.limits.acquireTimeoutMs, 0, 0);
    this.#stock.shrink();
  }

  /** Parks every new caller until `resume`; deadlines go on, leases in use are not touched. */
  suspend(): void {
    if (this.#stock.suspended) return;
    this.#stock.suspended = true;
    this.#stock.wantDials();
    this.#emit("suspended", {});
  }

  resume(): void {
    if (!this.#stock.suspended) return;
    this.#stock.suspended = false;
    this.#stock.pump();
    this.#emit("resumed", {});
  }

  /** Replaces every connection: idle ones now, those in use when they come back, or at once when `hard`. */
  evict(options: { readonly hard?: boolean } = {}): void {
    this.#stock.evict(options.hard === true);
    this.#stock.pump();
  }

  stats(): PoolStats {
    const { open, inUse, idle, dialer, limits } = this.#stock;
    return {
      ...this.#tally,
      closed: { ...this.#tally.closed },
      max: limits.max,
      open,
      inUse,
      idle: idle.size,
      busy: open - inUse - idle.size,
      dialing: dialer.dialing,
      waiting: this.#waiters.size,
      leaked: this.#leaks.leaked,
    };
  }

  /**
   * Ends the pool: waiting and new callers are rejected with `HF_CLOSED`, dials given up, idle connections closed,
   * those in use awaited for `deadlineMs` (default 10 s) and then destroyed. Resolves when nothing is left, or at the
   * deadline. Calling it again is safe, and a nearer deadline counts.
   */
  close(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    const deadlineMs = check.ms("deadlineMs", options.deadlineMs ?? 10_000, 0);
    if (!this.#stock.closing) {
      const reason = poolClosed(this.#options.name);
      this.#stock.close(reason);
      for (let next = this.#waiters.shift(); next !== undefined; next = this.#waiters.shift())
        next.reject(reason);
      this.#waiters.stop();
      this.#leaks.stop();
      this.#moments.stop();
    }
    return this.#shutdown.begin(deadlineMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #wait(options: AcquireOptions | undefined, origin: Error | undefined): Promise<Lease<C>> {
    const stock = this.#stock;
    const nowMs = this.#moments.turn();
    let terms = this.#terms;
    // Most give no options, and find connections that are in use: they have only to find room in the queue.
    if (options !== undefined || stock.open === 0 || this.#waiters.size >= stock.limits.maxWaiting) {
      try {
        terms = this.#admit(options ?? {}, nowMs);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    const waiter = new Waiter<C>(terms, nowMs, origin);
    if (options?.signal !== undefined) this.#hook(waiter, options.signal);
    this.#tally.waitCount++;
    this.#waiters.push(waiter);
    if (!stock.saturated) stock.pump();
    return waiter.promise;
  }

  /** @throws what keeps a caller out of the queue */
  #admit(options: AcquireOptions, nowMs: number): Terms<C> {
    const { limits, dialer, open } = this.#stock;
    const { name } = this.#options;
    const limitMs = check.ms("deadlineMs", options.deadlineMs ?? limits.acquireTimeoutMs, 0);
    const priority = check.count("priority", options.priority ?? 0, -10, 10);
    const bytes = check.count("bytes", options.bytes ?? 0, 0, Number.MAX_SAFE_INTEGER);
    const refusal = open === 0 ? dialer.refusing(nowMs) : undefined;
    if (refusal !== undefined) throw refused(name, refusal.linkClass, refusal.error);
    if (this.#waiters.size >= limits.maxWaiting)
      throw queueFull(name, `${limits.maxWaiting}`, this.#counts());
    if (bytes > 0 && this.#waiters.bytes + bytes > limits.maxWaitingBytes)
      throw queueFull(name, `${limits.maxWaitingBytes} bytes`, this.#counts());
    if (limitMs === 0) throw acquireTimeout(name, 0, this.#counts(), dialer.lastFailure?.error);
    return this.#waiters.terms(limitMs, priority, bytes);
  }

  #hook(waiter: Waiter<C>, signal: AbortSignal): void {
    const leave = (): void => {
      if (!this.#waiters.remove(waiter)) return;
      waiter.reject(signal.reason);
      this.#stock.wantDials();
    };
    signal.addEventListener("abort", leave, { once: true });
    waiter.terms.unhook = () => signal.removeEventListener("abort", leave);
  }

  #timedOut(waiter: Waiter<C>, nowMs: number): void {
    this.#tally.timeouts++;
    const waitedMs = nowMs - waiter.sinceMs;
    const dialError = this.#stock.dialer.lastFailure?.error;
    waiter.reject(acquireTimeout(this.#options.name, waitedMs, this.#counts(), dialError));
    this.#stock.wantDials();
  }

  #counts(): PoolCounts {
    const { open, inUse, idle, dialer } = this.#stock;
    const waiting = this.#waiters.size;
    return { total: open, active: inUse, idle: idle.size, dialing: dialer.dialing, waiting };
  }

  #tellLeak(event: "leak" | "leakReturned", entry: Entry<C>, heldMs: number): void {
    this.#emit(event, { heldMs, stack: entry.origin?.stack ?? "" });
  }

  #returnedTwice(origin: Error | undefined): void {
    this.#tally.doubleReleases++;
    this.#emit("doubleRelease", { stack: origin?.stack ?? "" });
  }

  /** After the pool's own work, so that a listener finds it in a consistent state and may call it. */
  #emit<K extends keyof PoolEvents>(name: K, event: PoolEvents[K]): void {
    queueMicrotask(() => this.#emitter.emit(name, event));
  }
}
