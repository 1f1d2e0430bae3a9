import { Checks } from "./checks.ts";
import { Closer } from "./closer.ts";
import type { RetireReason } from "./connector.ts";
import type { Watch } from "./dial-one.ts";
import { Dialer, type DialFailure, isPermanent } from "./dialer.ts";
import { Entry, IdleList } from "./entry.ts";
import { refused } from "./errors.ts";
import type { LeakWatch } from "./leaks.ts";
import { Lease, type LeaseOwner } from "./lease.ts";
import type { Moments } from "./moments.ts";
import type { ResolvedLimits, ResolvedPoolOptions } from "./options.ts";
import type { Tally } from "./stats.ts";
import type { StockOwner } from "./stock-owner.ts";
import { unwanted } from "./unwanted.ts";
import { Upkeep, type UpkeepOwner } from "./upkeep.ts";
import type { Waiter } from "./waiter.ts";
import type { WaitQueue } from "./waiters.ts";

/**
 * The connections of an elastic pool, and who gets the next. Whatever comes free, a returned connection, a validated
 * one or a new one, is *offered*: to the first waiting caller, else to the idle list.
 */
export class Stock<C> implements LeaseOwner<C>, UpkeepOwner<C> {
  limits: ResolvedLimits;
  suspended = false;
  closing = false;
  inUse = 0;
  /** How many `entries` there are. (A set's size is a call; every acquire and release asks.) */
  open = 0;
  readonly entries: Set<Entry<C>> = new Set();
  readonly idle: IdleList<C>;
  readonly dialer: Dialer<C>;
  readonly upkeep: Upkeep<C>;
  readonly closer: Closer<C>;
  readonly #options: ResolvedPoolOptions<C>;
  readonly #owner: StockOwner<C>;
  // Each return of a connection asks these.
  readonly #waiters: WaitQueue<C>;
  readonly #tally: Tally;
  readonly #moments: Moments;
  readonly #leaks: LeakWatch<C>;
  readonly #checks: Checks<C>;
  readonly #cleans: boolean;
  /** Validations under way that a waiting caller is meant to get. */
  #checking = 0;
  /** Raised by every sign that the server went away: connections that trust less are validated before use. */
  #suspicion = 0;

  constructor(options: ResolvedPoolOptions<C>, owner: StockOwner<C>) {
    this.#options = options;
    this.#owner = owner;
    this.limits = options.limits;
    this.idle = new IdleList(options.idleOrder);
    const { timers, waiters, tally, moments, leaks } = owner;
    this.#waiters = waiters;
    this.#tally = tally;
    this.#moments = moments;
    this.#leaks = leaks;
    this.#checks = new Checks(options.connector, timers);
    this.#cleans = options.connector.reset !== undefined;
    this.closer = new Closer(options.connector, timers, () => owner.gone());
    this.dialer = new Dialer({
      ...options,
      timers,
      drop: (connection) => this.closer.close(connection, "abrupt"),
      opened: (connection, watch) => this.#opened(connection, watch),
      failed: (failure) => this.#dialFailed(failure),
      ready: () => this.pump(),
    });
    this.upkeep = new Upkeep(this, options.world.clock, timers);
  }

  keepAlive(entry: Entry<C>): void {
    this.#validate(entry, false);
  }

  /** Lends an idle connection that can be used as it is; otherwise the caller has to wait. */
  lendNow(origin: Error | undefined): Lease<C> | undefined {
    const entry = this.idle.peek();
    if (entry === undefined || this.suspended) return undefined;
    const nowMs = this.#moments.now();
    if (nowMs >= entry.expiresAtMs || !this.#isProven(entry, nowMs)) return undefined;
    this.idle.remove(entry);
    this.#lent(entry, nowMs, origin);
    return new Lease(this, entry, origin);
  }

  /** Nothing is at hand and nothing may be added: a newcomer can only wait, and `pump` would find nothing to do. */
  get saturated(): boolean {
    return this.idle.size === 0 && this.open + this.dialer.dialing >= this.limits.max;
  }

  /** Brings connections and waiting callers together, as far as there are both, and dials what is missing. */
  pump(): void {
    if (this.closing) return;
    const nowMs = this.#options.world.clock.nowMs();
    while (!this.suspended && this.#waiters.size > this.#checking) {
      const entry = this.idle.peek();
      if (entry === undefined) break;
      if (nowMs >= entry.expiresAtMs) this.retire(entry, "lifetime");
      else if (!this.#isProven(entry, nowMs)) this.#prove(entry);
      else {
        this.idle.remove(entry);
        this.#serve(entry, nowMs);
      }
    }
    this.wantDials();
  }

  wantDials(): void {
    if (this.closing) return;
    const waiting = this.#waiters.size;
    const refusing = this.dialer.lastFailure !== undefined && isPermanent(this.dialer.lastFailure);
    // Nobody waits, and the next try would fail as the last: the warm minimum is not worth a retry loop.
    const missing = refusing && waiting === 0 ? 0 : this.limits.min - this.open;
    const wanted = this.suspended ? 0 : Math.max(waiting - this.#checking, missing);
    const room = this.limits.max - this.open - this.dialer.dialing;
    this.dialer.want(wanted, room, waiting > 0 || !this.#options.exitWhenIdle);
  }

  returned(entry: Entry<C>, how: "good" | "doubtful" | "discard" | "broken", error: unknown): void {
    if (entry.state !== "leased") return; // it was retired while it was lent
    // With nobody waiting it is only to be stamped; a waiting caller's time is counted.
    const nowMs = how === "good" && this.#waiters.size === 0 ? this.#moments.recent() : this.#moments.turn();
    this.#unlent(entry);
    if (how === "broken") return this.#broken(entry, error, nowMs);
    const fault = how === "discard" ? "error" : unwanted(this, entry, nowMs);
    if (fault !== undefined) {
      this.retire(entry, fault, fault === "lost" ? "abrupt" : "graceful");
      return this.pump();
    }
    entry.idleSinceMs = nowMs;
    if (how === "doubtful") entry.trust = -1;
    const cleaning = this.#cleans ? this.#checks.cleaning(entry.connection) : undefined;
    if (cleaning === undefined) this.#offer(entry, nowMs);
    else this.#reset(entry, cleaning);
  }

  returnedTwice(origin: Error | undefined): void {
    this.#owner.returnedTwice(origin);
  }

  evict(hard: boolean): void {
    for (const entry of [...this.entries]) {
      if (entry.state === "idle") this.retire(entry, "evicted");
      else if (hard && entry.state === "leased") this.retire(entry, "evicted", "abrupt");
      else entry.doomed ??= "evicted";
    }
  }

  /** After a change of the limits. */
  shrink(): void {
    while (this.idle.head !== undefined && this.open + this.dialer.dialing > this.limits.max) {
      this.retire(this.idle.head, "resized");
    }
    while (this.idle.head !== undefined && this.idle.size > this.limits.maxIdle) {
      this.retire(this.idle.head, "max-idle");
    }
    this.upkeep.reconsider(this.entries);
  }

  /** Gives up dials and checks, closes what is idle; what is lent is closed on its return. */
  close(reason: unknown): void {
    this.closing = true;
    this.upkeep.stop();
    this.dialer.stop(reason);
    for (const entry of [...this.entries]) if (entry.state === "idle") this.retire(entry, "closed");
    this.#checks.stop(reason);
  }

  retire(
    entry: Entry<C>,
    reason: RetireReason,
    how: "graceful" | "abrupt" = "graceful",
    error?: unknown,
  ): void {
    if (entry.state === "retired") return;
    if (entry.state === "idle") this.idle.remove(entry);
    if (entry.state === "leased") this.#unlent(entry);
    entry.state = "retired";
    this.entries.delete(entry);
    this.open--;
    this.#tally.closed[reason]++;
    this.closer.close(entry.connection, how);
    const { open } = this;
    this.#owner.emit("retired", error === undefined ? { reason, open } : { reason, error, open });
  }

  #lent(entry: Entry<C>, nowMs: number, origin: Error | undefined): void {
    entry.state = "leased";
    this.inUse++;
    if (this.#leaks.enabled) this.#leaks.lent(entry, nowMs, origin);
    if (this.#options.exitWhenIdle) this.#options.connector.ref?.(entry.connection);
  }

  #unlent(entry: Entry<C>): void {
    this.inUse--;
    entry.state = "busy";
    if (entry.list !== undefined && this.#leaks.returned(entry)) this.#owner.leakReturned(entry);
  }

  #opened(connection: C, watch: Watch): void {
    const { clock, random } = this.#options.world;
    const nowMs = clock.nowMs();
    const entry = new Entry(connection, nowMs, random.next(), this.#suspicion);
    entry.expiresAtMs = this.upkeep.expiresAtMs(entry);
    this.entries.add(entry);
    this.open++;
    this.#tally.opened++;
    watch.onLost = (cause) => this.#lost(entry, cause);
    watch.onLeaving = () => this.#leaving(entry);
    this.#owner.emit("opened", { open: this.open });
    if (watch.left) this.#leaving(entry);
    this.#checked(entry);
  }

  #dialFailed(failure: DialFailure): void {
    const waiters = this.#waiters;
    const tally = this.#tally;
    tally.dialFailures++;
    tally.lastError = failure.error;
    const { error, linkClass, attempt, delayMs } = failure;
    if (isPermanent(failure)) {
      const reason = refused(this.#options.name, linkClass, error);
      for (let waiter = waiters.shift(); waiter !== undefined; waiter = waiters.shift())
        waiter.reject(reason);
    }
    this.#owner.emit("dialFailed", { error, linkClass, attempt, delayMs });
    this.pump();
  }

  /** Closed without notice, in whatever state it is. */
  #lost(entry: Entry<C>, cause: unknown): void {
    if (entry.state === "retired") return;
    this.#tally.lastError = cause;
    if (entry.state === "idle") this.retire(entry, "lost", "abrupt", cause);
    else entry.doomed = "lost";
    // Without validation every idle connection would have to go; those that died say so themselves.
    this.#mistrust(entry, cause, this.#options.connector.validate !== undefined);
    this.pump();
  }

  #leaving(entry: Entry<C>): void {
    if (entry.state === "idle") this.retire(entry, "leaving");
    else entry.doomed ??= "leaving";
    this.pump();
  }

  #broken(entry: Entry<C>, error: unknown, nowMs: number): void {
    this.#tally.lastError = error;
    this.retire(entry, this.closing ? "closed" : "error", "abrupt", error);
    if (entry.doomed !== "lost") this.#mistrust(entry, error, true, nowMs);
    this.pump();
  }

  #mistrust(
    entry: Entry<C>,
    error: unknown,
    others: boolean,
    nowMs: number = this.#options.world.clock.nowMs(),
  ): void {
    if (others) this.#suspicion++;
    if (nowMs - entry.openedAtMs < this.#options.stableAfterMs) this.dialer.unstable(error);
    if (this.#options.connector.classify(error) === "endpoint") this.evict(false);
  }

  #isProven(entry: Entry<C>, nowMs: number): boolean {
    if (entry.trust !== this.#suspicion) return false;
    const { validate } = this.#options.connector;
    return validate === undefined || nowMs - entry.provenAtMs <= this.limits.validateAfterIdleMs;
  }

  /** It needs a proof before a waiting caller can have it. */
  #prove(entry: Entry<C>): void {
    if (this.#options.connector.validate === undefined) this.retire(entry, "invalid");
    else this.#validate(entry, true);
  }

  /** It works and nobody has it. */
  #offer(entry: Entry<C>, nowMs: number): void {
    if (!this.suspended && this.#waiters.size > 0) {
      if (entry.trust === this.#suspicion) this.#serve(entry, nowMs);
      else {
        this.#prove(entry);
        this.wantDials();
      }
    } else if (this.idle.size >= this.limits.maxIdle) {
      this.retire(entry, "max-idle");
    } else {
      entry.provenAtMs = nowMs;
      if (this.#options.exitWhenIdle) this.#options.connector.unref?.(entry.connection);
      this.idle.park(entry);
      this.upkeep.parked(entry);
    }
  }

  #serve(entry: Entry<C>, nowMs: number): void {
    const waiters = this.#waiters;
    const tally = this.#tally;
    const waiter = waiters.shift() as Waiter<C>;
    this.#lent(entry, nowMs, waiter.origin);
    tally.waitMs += nowMs - waiter.sinceMs;
    waiter.resolve(new Lease(this, entry, waiter.origin));
    if (waiters.size === 0 && this.dialer.pending) this.wantDials(); // the need is gone: no retry
  }

  #validate(entry: Entry<C>, demanded: boolean): void {
    if (entry.state === "idle") this.idle.take(entry);
    if (demanded) this.#checking++;
    this.#checks.validate(entry.connection, this.limits.validationTimeoutMs, (failure) => {
      if (demanded) this.#checking--;
      if (failure === undefined) return this.#checked(entry);
      this.#fail(entry, "invalid", failure.error);
      this.#suspicion++;
      // One is dead, so all may be: they are asked at once, not one after the other by the callers who get them.
      for (let other = this.idle.head; other !== undefined; other = this.idle.head) {
        this.#validate(other, false);
      }
      this.pump();
    });
  }

  #reset(entry: Entry<C>, cleaning: Promise<void>): void {
    this.#checks.reset(cleaning, this.limits.validationTimeoutMs, (failure) => {
      if (failure === undefined) return this.#checked(entry);
      this.#fail(entry, "reset", failure.error);
      this.pump();
    });
  }

  /** It just answered. */
  #checked(entry: Entry<C>): void {
    const nowMs = this.#options.world.clock.nowMs();
    const fault = unwanted(this, entry, nowMs);
    if (fault === undefined) {
      entry.trust = this.#suspicion;
      this.#offer(entry, nowMs);
    } else this.retire(entry, fault, fault === "lost" ? "abrupt" : "graceful");
    this.pump();
  }

  #fail(entry: Entry<C>, reason: RetireReason, error: unknown): void {
    if (this.closing) return this.retire(entry, "closed", "abrupt");
    this.#tally.lastError = error;
    this.retire(entry, reason, "abrupt", error);
  }
}
