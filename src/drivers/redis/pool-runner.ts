/** What stands behind one pool of clients: the elastic pool, and how tasks pass. */
import { ClientClosedError } from "redis";
import { HoldfastError } from "../../call/index.ts";
import { type PoolResilience, poolResilience } from "../../observe/index.ts";
import { ElasticPool, type Lease } from "../../pool/index.ts";
import type { World } from "../../time/index.ts";
import type { LibraryClient } from "./library.ts";
import { type Member, memberConnector } from "./pool-member.ts";
import type { PoolSettings } from "./pool-options.ts";

export type Task = (client: LibraryClient) => unknown;

export interface RunnerWishes {
  /** The first task opens the pool. */
  readonly lazy: boolean;
  /** `connect` waits for the server instead of failing with the first dial. */
  readonly retryInitial: boolean;
  readonly drainTimeoutMs: number;
  readonly world: World;
}

export class Runner {
  readonly elastic: ElasticPool<Member>;
  readonly resilience: PoolResilience;
  readonly #settings: PoolSettings;
  readonly #wishes: RunnerWishes;
  #state: "new" | "open" | "closing" | "closed" = "new";
  /** Tasks that have or wait for a connection. */
  #tasks = 0;
  #drained: (() => void) | undefined;

  constructor(
    settings: PoolSettings,
    make: () => LibraryClient,
    wishes: RunnerWishes,
    heard: (error: unknown) => void,
  ) {
    this.#settings = settings;
    this.#wishes = wishes;
    this.elastic = new ElasticPool<Member>({
      ...settings.pool,
      world: wishes.world,
      connector: memberConnector(make, heard),
    });
    this.resilience = poolResilience(this.elastic);
  }

  get isOpen(): boolean {
    return this.#state === "open" || this.#state === "closing";
  }

  get isClosing(): boolean {
    return this.#state === "closing";
  }

  /** Opens `minimum` connections. @throws what the first failed dial failed with; the pool is then closed */
  async connect(): Promise<void> {
    if (this.#state === "open") return;
    if (this.#state !== "new") throw new ClientClosedError();
    const failed = new Promise<never>((_, reject) => {
      const off = this.elastic.on("dialFailed", ({ error }) => {
        off();
        if (!this.#wishes.retryInitial) reject(error);
      });
    });
    failed.catch(() => {});
    const minimum = this.#open();
    const deadlineMs = this.#wishes.retryInitial ? Number.POSITIVE_INFINITY : undefined;
    const opening = Array.from({ length: minimum }, () =>
      this.elastic.acquire(deadlineMs === undefined ? {} : { deadlineMs }),
    );
    try {
      for (const lease of await Promise.race([Promise.all(opening), failed])) lease.release();
    } catch (error) {
      for (const lease of opening) lease.then((late) => late.release()).catch(() => {});
      await this.destroy();
      throw error;
    }
  }

  #open(): number {
    const { minimum } = this.#settings;
    this.#state = "open";
    this.elastic.configure({ min: minimum });
    return minimum;
  }

  async execute(task: Task): Promise<unknown> {
    if (this.#state === "new" && this.#wishes.lazy) this.#open();
    if (this.#state !== "open") throw new ClientClosedError();
    this.#refuseWhenFull();
    this.#tasks++;
    try {
      const lease = await this.elastic.acquire();
      return await this.#lend(lease, task);
    } finally {
      this.#tasks--;
      if (this.#tasks === 0) this.#drained?.();
    }
  }

  async #lend(lease: Lease<Member>, task: Task): Promise<unknown> {
    const member = lease.connection;
    member.lent = true;
    try {
      return await task(member.client);
    } finally {
      member.lent = false;
      lease.release(member.broken);
    }
  }

  #refuseWhenFull(): void {
    if (!this.#settings.refuses) return;
    const { max } = this.elastic.stats();
    if (this.#tasks < max) return;
    throw new HoldfastError("HF_POOL_FULL", `too many connections: all ${max} of the Redis pool are in use`, {
      outcome: "not-applied",
      step: "acquire",
    });
  }

  /** Takes no more tasks, finishes those it has within the drain timeout, then closes every connection. */
  async close(): Promise<void> {
    if (this.#state !== "open") return this.elastic.close();
    this.#state = "closing";
    const { drainTimeoutMs, world } = this.#wishes;
    if (this.#tasks > 0) {
      await new Promise<void>((resolve) => {
        const timer = world.clock.setTimer(drainTimeoutMs, resolve);
        this.#drained = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#state = "closed";
    await this.elastic.close({ deadlineMs: 0 });
  }

  destroy(): Promise<void> {
    this.#state = "closed";
    return this.elastic.close({ deadlineMs: 0 });
  }
}
