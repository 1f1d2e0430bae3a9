/** Properties of the elastic pool over random histories in virtual time. fast-check prints seed and path on failure. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ElasticPool, Lease } from "../../src/pool/index.ts";
import { type Conn, FakeError, FakeServer } from "./fake.ts";

type Step =
  | {
      readonly do: "acquire";
      readonly priority: number;
      readonly deadlineMs: number;
      readonly abortable: boolean;
    }
  | { readonly do: "release" | "breakIt" | "discard" | "abort" | "cut"; readonly which: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "resize"; readonly max: number }
  | { readonly do: "refuse"; readonly linkClass: "transient" | "endpoint" | "auth" | "fatal" }
  | { readonly do: "accept" | "restart" | "silence" | "evict" | "evictHard" | "suspend" | "resume" };

const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ do: fc.constant("acquire" as const), priority: fc.integer({ min: -1, max: 1 }) },
      ...{ deadlineMs: fc.constantFrom(0, 20, 500, 30_000), abortable: fc.boolean() },
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("release" as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("breakIt", "discard", "abort", "cut"),
      which,
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(0, 1, 5, 12, 60, 700, 6_000, 40_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("resize" as const), max: fc.integer({ min: 2, max: 8 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: fc.constant("refuse" as const) },
      ...{
        linkClass: fc.constantFrom(
          "transient" as const,
          "endpoint" as const,
          "auth" as const,
          "fatal" as const,
        ),
      },
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "accept",
        "accept",
        "restart",
        "silence",
        "evict",
        "evictHard",
        "suspend",
        "resume",
      ),
    }) as fc.Arbitrary<Step>,
  },
);

interface Call {
  readonly order: number;
  readonly priority: number;
  readonly controller: AbortController;
  settled: number;
  served: boolean;
}

/** Plays a history against a pool and checks after every step what must always hold. */
class Player {
  readonly server: FakeServer;
  readonly pool: ElasticPool<Conn>;
  readonly calls: Call[] = [];
  readonly leases: Lease<Conn>[] = [];
  readonly borrowed: Set<Conn> = new Set();
  max = 4;
  /** The highest limit in force since surplus connections may last have been open. */
  ceiling = 4;

  constructor(seed: number, options: { min: number; maxIdle: number; lifo: boolean; reset: boolean }) {
    this.server = new FakeServer(seed);
    this.pool = this.server.pool(
      {
        ...{
          max: this.max,
          min: options.min,
          maxIdle: options.maxIdle,
          idleOrder: options.lifo ? "lifo" : "fifo",
        },
        ...{ maxLifetimeMs: 20_000, maxIdleTimeMs: 5_000, keepaliveMs: 2_000, validationTimeoutMs: 300 },
        ...{ dialConcurrency: 3, leakThresholdMs: 10_000 },
      },
      options.reset ? { reset: (conn) => (conn.id % 2 === 0 ? this.server.after(2) : undefined) } : {},
    );
  }

  play(step: Step): void {
    const { server, pool } = this;
    switch (step.do) {
      case "acquire":
        return this.acquire(step.priority, step.deadlineMs, step.abortable);
      case "release":
        return this.giveBack(step.which, (lease) => lease.release());
      case "breakIt":
        return this.giveBack(step.which, (lease) => lease.release(new FakeError("broke")));
      case "discard":
        return this.giveBack(step.which, (lease) => lease.discard());
      case "abort":
        return this.calls[step.which % Math.max(1, this.calls.length)]?.controller.abort(new Error("left"));
      case "cut": {
        const conn = server.live[step.which % Math.max(1, server.live.length)];
        return conn === undefined ? undefined : server.cut(conn);
      }
      case "resize":
        this.ceiling = Math.max(this.ceiling, step.max);
        pool.configure({ max: step.max, maxIdle: Math.min(step.max, 3) });
        this.max = step.max;
        return;
      case "refuse":
        server.refuse = new FakeError("refused", step.linkClass);
        return;
      case "accept":
        server.refuse = undefined;
        return;
      case "restart":
        return server.restart();
      case "silence":
        for (const conn of server.live) conn.silent = true;
        return;
      case "evict":
        return pool.evict();
      case "evictHard":
        return pool.evict({ hard: true });
      case "suspend":
        return pool.suspend();
      case "resume":
        return pool.resume();
      case "wait":
        return;
    }
  }

  acquire(priority: number, deadlineMs: number, abortable: boolean): void {
    const call: Call = {
      ...{ order: this.calls.length, priority, settled: 0, served: false },
      controller: new AbortController(),
    };
    this.calls.push(call);
    const signal = abortable ? { signal: call.controller.signal } : {};
    this.pool.acquire({ priority, deadlineMs, ...signal }).then(
      (lease) => {
        call.settled++;
        call.served = true;
        const { connection } = lease;
        assert.ok(!this.borrowed.has(connection), `connection ${connection.id} lent twice`);
        this.borrowed.add(connection);
        this.leases.push(lease);
      },
      () => {
        call.settled++;
      },
    );
  }

  giveBack(which: number, how: (lease: Lease<Conn>) => void): void {
    const [lease] = this.leases.splice(which % Math.max(1, this.leases.length), 1);
    if (lease === undefined) return;
    this.borrowed.delete(lease.connection);
    how(lease);
  }

  check(): void {
    const { server, pool } = this;
    const stats = pool.stats();
    const live = server.live.length;
    assert.ok(
      live + server.dialing <= this.ceiling,
      `${live} open + ${server.dialing} dialing > ${this.ceiling}`,
    );
    assert.equal(stats.open, live);
    assert.equal(stats.dialing, server.dialing);
    assert.equal(stats.open, stats.inUse + stats.idle + stats.busy);
    assert.ok(stats.inUse <= this.leases.length);
    assert.equal(stats.waiting, this.calls.filter(({ settled }) => settled === 0).length);
    assert.ok(this.calls.every(({ settled }) => settled <= 1));
    const closed = Object.values(stats.closed).reduce((a, b) => a + b, 0);
    assert.equal(stats.opened, stats.open + closed);
  }
}

test("over random histories: never above max, no lease shared, every call settles, the numbers add up, nothing left", async () => {
  const options = fc.record({
    ...{ min: fc.integer({ min: 0, max: 2 }), maxIdle: fc.integer({ min: 2, max: 4 }) },
    ...{ lifo: fc.boolean(), reset: fc.boolean() },
  });
  await fc.assert(
    fc.asyncProperty(fc.integer(), options, fc.array(step, { maxLength: 60 }), async (seed, given, steps) => {
      const player = new Player(seed, given);
      const { server, pool } = player;
      for (const one of steps) {
        player.play(one);
        await server.clock.advanceAsync(one.do === "wait" ? one.ms : 0);
        player.check();
      }
      // Whatever happened, each call ends by its own deadline (the longest is 30 s, and a tick).
      await server.clock.advanceAsync(30_100);
      player.check();
      assert.deepEqual(
        player.calls.filter(({ settled }) => settled !== 1),
        [],
      );
      const closing = pool.close({ deadlineMs: 50 });
      await server.clock.advanceAsync(100);
      await closing;
      for (const lease of player.leases) lease.release();
      await server.clock.advanceAsync(0);
      assert.equal(server.live.length, 0);
      assert.equal(server.dialing, 0);
      assert.equal(pool.stats().open, 0);
      assert.equal(server.clock.pendingTimers, 0);
    }),
    { numRuns: 400 },
  );
});

test("over random histories: a healthy pool recovers, and everybody who then asks is served", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { maxLength: 40 }), async (seed, steps) => {
      const player = new Player(seed, { min: 1, maxIdle: 4, lifo: true, reset: false });
      const { server, pool } = player;
      for (const one of steps) {
        player.play(one);
        await server.clock.advanceAsync(one.do === "wait" ? one.ms : 0);
      }
      server.refuse = undefined;
      pool.resume();
      await server.clock.advanceAsync(31_000); // the slowest delay, of refused credentials, is over
      while (player.leases.length > 0) player.giveBack(0, (lease) => lease.release());
      const before = player.calls.length;
      for (let i = 0; i < 6; i++) player.acquire(0, 5_000, false);
      for (let i = 0; i < 40; i++) {
        await server.clock.advanceAsync(50);
        while (player.leases.length > 0) player.giveBack(0, (lease) => lease.release());
      }
      assert.ok(player.calls.slice(before).every(({ served }) => served));
      await pool.close({ deadlineMs: 0 });
    }),
    { numRuns: 200 },
  );
});

test("over random arrivals: first come, first served within each priority", async () => {
  const arrival = fc.record({
    priority: fc.integer({ min: -2, max: 2 }),
    holdMs: fc.nat(5),
    gapMs: fc.nat(3),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { minLength: 2, maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      async (arrivals, max) => {
        const server = new FakeServer();
        const pool = server.pool({ max });
        const waiting = new Map<number, number>();
        const served: number[] = [];
        const all: Promise<void>[] = [];
        for (const [index, { priority, holdMs, gapMs }] of arrivals.entries()) {
          waiting.set(index, priority);
          all.push(
            pool.use(
              async () => {
                const best = Math.max(...waiting.values());
                assert.equal(priority, best, "somebody of a higher priority waits");
                const first = [...waiting].find(([, other]) => other === priority)?.[0];
                assert.equal(index, first, "somebody of this priority came earlier");
                waiting.delete(index);
                served.push(index);
                await server.after(holdMs);
              },
              { priority },
            ),
          );
          await server.clock.advanceAsync(gapMs);
        }
        await server.clock.advanceAsync(1_000);
        await Promise.all(all);
        assert.equal(served.length, arrivals.length);
      },
    ),
    { numRuns: 200 },
  );
});
