/** Pools over connections that are not there: what is compared is the pools' own work. */
import { EventEmitter } from "node:events";
import { createPool as createGenericPool } from "generic-pool";
import { createPool as createLightningPool } from "lightning-pool";
import PgPool from "pg-pool";
import { Pool as TarnPool } from "tarn";
import { ElasticPool, type Lease } from "../src/pool/index.ts";

/** Stands for a connection. */
export interface Thing {
  readonly number: number;
}

export interface Factory {
  open(): Promise<Thing>;
}

export interface BenchPool<H = unknown> {
  acquire(): Promise<H>;
  release(held: H): void;
  close(): Promise<unknown>;
}

export interface PoolPeer {
  readonly name: string;
  /** A pool at the library's defaults, but for its size. */
  make(factory: Factory, max: number): BenchPool;
}

/** So that each adapter keeps its own type of what is held. */
function peer<H>(name: string, make: (factory: Factory, max: number) => BenchPool<H>): PoolPeer {
  return { name, make: make as PoolPeer["make"] };
}

export const ours: PoolPeer = peer<Lease<Thing>>("holdfast pool", (factory, max) => {
  const connector = {
    open: () => factory.open(),
    close: () => {},
    classify: () => "transient" as const,
    // Asked when a connection was idle for long: that it is there is all that can be said of these.
    validate: () => Promise.resolve(),
  };
  const pool = new ElasticPool<Thing>({ connector, max });
  return {
    acquire: () => pool.acquire(),
    release: (lease) => lease.release(),
    close: () => pool.close(),
  };
});

/** The least that hands things out and lets callers wait: no deadline, no state, no check. */
export const bareArray: PoolPeer = peer<Thing>("a bare array and a queue", (factory, max) => {
  const idle: Thing[] = [];
  const waiting: ((thing: Thing) => void)[] = [];
  let first = 0;
  let open = 0;
  return {
    acquire: () => {
      const thing = idle.pop();
      if (thing !== undefined) return Promise.resolve(thing);
      if (open++ < max) return factory.open();
      return new Promise((resolve) => waiting.push(resolve));
    },
    release: (thing) => {
      const next = waiting[first];
      if (next === undefined) return void idle.push(thing);
      if (++first === 1_024) {
        waiting.splice(0, first);
        first = 0;
      }
      next(thing);
    },
    close: () => Promise.resolve(),
  };
});

const genericPool = peer<Thing>("generic-pool", (factory, max) => {
  const pool = createGenericPool<Thing>(
    { create: () => factory.open(), destroy: () => Promise.resolve() },
    { max },
  );
  pool.on("factoryCreateError", () => {});
  return {
    acquire: () => Promise.resolve(pool.acquire()),
    release: (thing) => void pool.release(thing),
    close: async () => {
      await pool.drain();
      await pool.clear();
    },
  };
});

const tarn = peer<Thing>("tarn", (factory, max) => {
  const pool = new TarnPool<Thing>({
    create: () => factory.open(),
    destroy: () => {},
    ...{ min: 0, max },
  });
  return {
    acquire: () => pool.acquire().promise,
    release: (thing) => void pool.release(thing),
    close: () => pool.destroy(),
  };
});

const lightningPool = peer<Thing>("lightning-pool", (factory, max) => {
  const pool = createLightningPool<Thing>({ create: () => factory.open(), destroy: () => {} }, { max });
  return {
    acquire: () => pool.acquire(),
    release: (thing) => pool.release(thing),
    close: () => pool.closeAsync(true),
  };
});

interface PgClient extends EventEmitter {
  release(): void;
}

const pgPool = peer<PgClient>("pg-pool", (factory, max) => {
  class Client extends EventEmitter {
    readonly _queryable = true;
    connect(done: (error?: unknown) => void): void {
      factory.open().then(() => done(), done);
    }
    end(done?: () => void): void {
      done?.();
    }
  }
  const pool = new PgPool({ Client: Client as never, max });
  pool.on("error", () => {});
  return {
    acquire: () => pool.connect() as unknown as Promise<PgClient>,
    release: (client) => client.release(),
    close: () => pool.end(),
  };
});

/** What ours is compared with. */
export const poolPeers: readonly PoolPeer[] = [genericPool, tarn, lightningPool, pgPool];
