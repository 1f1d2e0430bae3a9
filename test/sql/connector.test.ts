/** Several servers under one pool, in virtual time: which is dialled, and how connections move back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../../src/endpoint/index.ts";
import { freePermits, type LinkClass } from "../../src/link/index.ts";
import { type ResilienceOptions, resolveResilience } from "../../src/options/index.ts";
import { ElasticPool } from "../../src/pool/index.ts";
import { type SqlConnectorRules, sqlConnector } from "../../src/sql/index.ts";
import { virtualWorld } from "../../src/time/index.ts";

const first: Endpoint = { host: "first", port: 1 };
const second: Endpoint = { host: "second", port: 1 };
const third: Endpoint = { host: "third", port: 1 };

/** How a server takes a dial: after so many ms, or never; or with an error of this class. */
type Manner = number | "silent" | LinkClass;

class Fake {
  readonly endpoint: Endpoint;
  refused: unknown;
  ended = false;
  lost: ((cause: unknown) => void) | undefined;
  readonly forUse: boolean;

  constructor(endpoint: Endpoint, forUse: boolean) {
    this.endpoint = endpoint;
    this.forUse = forUse;
  }

  async end(): Promise<void> {
    this.ended = true;
  }

  destroy(): void {
    this.ended = true;
  }
}

class Refusal extends Error {
  readonly linkClass: LinkClass;

  constructor(linkClass: LinkClass) {
    super(linkClass);
    this.linkClass = linkClass;
  }
}

function rigFor(
  manners: Record<string, Manner>,
  options: ResilienceOptions = {},
  failBackMs: number | false = 30_000,
) {
  const world = virtualWorld();
  const { clock } = world;
  const dials: {
    readonly host: string;
    readonly atMs: number;
    readonly forUse: boolean;
    aborted: boolean;
  }[] = [];
  const made: Fake[] = [];
  const standbys = new Set<string>();
  const rules: SqlConnectorRules<Fake> = {
    dial(endpoint, signal, use, asPrimary) {
      const dial = { host: endpoint.host, atMs: clock.nowMs(), forUse: use !== undefined, aborted: false };
      dials.push(dial);
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => {
          dial.aborted = true;
          if (manner === "silent") reject(signal.reason); // the others are too far to be stopped
        });
        const manner = manners[endpoint.host] as Manner;
        if (manner === "silent") return;
        if (typeof manner === "string") return reject(new Refusal(manner));
        if (asPrimary && standbys.has(endpoint.host)) return reject(new Refusal("endpoint"));
        clock.setTimer(manner, () => {
          const fake = new Fake(endpoint, use !== undefined);
          fake.lost = use?.lost;
          made.push(fake);
          resolve(fake);
        });
      });
    },
    classify: (error) => (error instanceof Refusal ? error.linkClass : "transient"),
  };
  const resolved = resolveResilience({ order: "given", governor: freePermits, world, ...options });
  const endpoints = [first, second, third].filter(({ host }) => host in manners);
  const connector = sqlConnector(
    { endpoints, resolved, failBackMs, name: "test", plan: { primaryOnly: false } },
    rules,
  );
  /** One dial of a pool, with what became of it. */
  const open = () => {
    const controller = new AbortController();
    const lost: unknown[] = [];
    const told: { value?: Fake; error?: unknown; atMs?: number } = {};
    const context = { signal: controller.signal, attempt: 1, lost: (cause: unknown) => lost.push(cause) };
    void connector.open({ ...context, leaving: () => {} }).then(
      (value) => Object.assign(told, { value, atMs: clock.nowMs() }),
      (error: unknown) => Object.assign(told, { error, atMs: clock.nowMs() }),
    );
    return { told, lost, abort: () => controller.abort(new Error("given up")) };
  };
  /** Open connections that a pool has, by server. */
  const placed = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { endpoint, ended, forUse } of made)
      if (!ended && forUse) counts[endpoint.host] = (counts[endpoint.host] ?? 0) + 1;
    return counts;
  };
  return { world, clock, dials, made, manners, standbys, connector, open, placed };
}

test("a server that is silent only loses its lead: the next one is dialled beside it after its share of the time", async () => {
  const { clock, open, dials } = rigFor({ first: "silent", second: 10 }, { connectTimeoutMs: 5_000 });
  const { told } = open();
  await clock.advanceAsync(5_000);
  assert.equal(told.value?.endpoint, second);
  assert.equal(told.atMs, 2_510);
  assert.deepEqual(
    dials.map(({ host, aborted }) => [host, aborted]),
    [
      ["first", true],
      ["second", false],
    ],
  );
  // It is avoided from now on, and nothing is left of the race.
  const again = open();
  await clock.advanceAsync(10);
  assert.equal(again.told.atMs, 5_010);
});

test("a server that is slow is still found when no other can be used", async () => {
  const { clock, open } = rigFor({ first: 4_000, second: "endpoint" }, { connectTimeoutMs: 5_000 });
  const { told } = open();
  await clock.advanceAsync(5_000);
  assert.deepEqual([told.value?.endpoint, told.atMs], [first, 4_000]);
});

test("of two that come in together one is used; the other is closed, and its end is nobody's loss", async () => {
  const { clock, open, made } = rigFor({ first: 2_600, second: 100 }, { connectTimeoutMs: 5_000 });
  const { told, lost } = open();
  await clock.advanceAsync(5_000);
  assert.equal(told.value?.endpoint, first);
  const [winner, loser] = made;
  assert.deepEqual([winner?.ended, loser?.endpoint, loser?.ended], [false, second, true]);
  loser?.lost?.(new Error("its end"));
  assert.equal(lost.length, 0);
  winner?.lost?.(new Error("a loss"));
  assert.equal(lost.length, 1);
});

test("all fail: one error with each cause; one that no other server could mend is told at once", async () => {
  const all = rigFor({ first: "transient", second: "endpoint", third: "transient" });
  const { told } = all.open();
  await all.clock.advanceAsync(0);
  assert.ok(told.error instanceof AggregateError);
  assert.equal(told.error.errors.length, 3);
  const wrong = rigFor({ first: "silent", second: "auth", third: 1 }, { connectTimeoutMs: 300 });
  const refused = wrong.open();
  await wrong.clock.advanceAsync(100);
  assert.deepEqual([String(refused.told.error), wrong.dials.length], ["Error: auth", 2]);
  assert.equal(wrong.dials[0]?.aborted, true);
  const given = rigFor({ first: "silent", second: "silent" }, { connectTimeoutMs: 1_000 });
  const stopped = given.open();
  await given.clock.advanceAsync(600);
  stopped.abort();
  await given.clock.advanceAsync(0);
  assert.equal(String(stopped.told.error), "Error: given up");
  assert.deepEqual([given.dials.every(({ aborted }) => aborted), given.clock.pendingTimers], [true, 0]);
});

test("connections move back to the endpoint that comes first a tenth at a time; looks at a dead one grow rarer [mariadb-redis 40]", async () => {
  const rig = rigFor({ first: "transient", second: 1 }, {}, 1_000);
  const { world, clock, connector, manners, dials, placed } = rig;
  const pool = new ElasticPool<Fake>({ connector, max: 20, min: 20, world, maxLifetimeMs: Infinity });
  await clock.advanceAsync(1_000);
  assert.deepEqual(placed(), { second: 20 });
  const before = dials.length;
  await clock.advanceAsync(100_000);
  const looks = dials.slice(before);
  assert.ok(looks.every(({ host, forUse }) => host === "first" && !forUse));
  assert.ok(looks.length >= 4 && looks.length <= 24, `${looks.length} looks in 100 s`);
  manners.first = 1;
  const steps: number[] = [];
  for (let there = 0; there < 20; ) {
    const dialled = dials.length;
    await clock.advanceAsync(100);
    const now = placed().first ?? 0;
    if (now > there) steps.push(now - there);
    there = now;
    assert.ok(clock.nowMs() < 200_000, "they never came");
    assert.ok(dials.length - dialled <= 3, "a look, and two that move");
    assert.equal((placed().first ?? 0) + (placed().second ?? 0), 20);
  }
  assert.deepEqual(steps, Array(10).fill(2));
  // Everybody is where they should be: nobody looks any more.
  const after = dials.length;
  await clock.advanceAsync(100_000);
  assert.equal(dials.length, after);
  await pool.close({ deadlineMs: 0 });
  await clock.advanceAsync(0);
  assert.equal(clock.pendingTimers, 0);
});

test("a pool that is closed while it looks leaves neither dial nor timer; with failBackMs false nobody looks", async () => {
  const rig = rigFor({ first: "transient", second: 1 }, {}, 1_000);
  const { world, clock, connector, manners, dials } = rig;
  const pool = new ElasticPool<Fake>({ connector, max: 2, min: 2, world });
  await clock.advanceAsync(100);
  manners.first = "silent";
  for (const known = dials.length; dials.length === known; ) await clock.advanceAsync(50);
  await pool.close({ deadlineMs: 0 });
  await clock.advanceAsync(0);
  assert.deepEqual([dials.at(-1)?.aborted, clock.pendingTimers], [true, 0]);
  const still = rigFor({ first: "transient", second: 1 }, {}, false);
  const stays = new ElasticPool<Fake>({ connector: still.connector, max: 2, min: 2, world: still.world });
  await still.clock.advanceAsync(100);
  const count = still.dials.length;
  await still.clock.advanceAsync(600_000);
  assert.ok(still.dials.slice(count).every(({ forUse }) => forUse));
  await stays.close({ deadlineMs: 0 });
});

test("a server that refused a write is not gone back to before it is primary, also where any server would do [mariadb-redis 40]", async () => {
  const rig = rigFor({ first: 1, second: 1 }, {}, 1_000);
  const { world, clock, connector, made, standbys, placed } = rig;
  standbys.add("first");
  const pool = new ElasticPool<Fake>({ connector, max: 5, min: 5, world, maxLifetimeMs: Infinity });
  await clock.advanceAsync(1_000);
  assert.deepEqual(placed(), { first: 5 });
  const lease = await pool.acquire();
  lease.connection.refused = new Refusal("endpoint");
  lease.release(lease.connection.refused);
  await clock.advanceAsync(60_000);
  assert.deepEqual(placed(), { second: 5 });
  assert.ok(made.some(({ endpoint, forUse }) => endpoint === first && forUse));
  standbys.delete("first");
  await clock.advanceAsync(60_000);
  assert.deepEqual(placed(), { first: 5 });
  await pool.close({ deadlineMs: 0 });
});
