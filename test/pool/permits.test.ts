/** Pools that ask before they dial. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Governor } from "../../src/governor/index.ts";
import type { DialEvidence, DialPermits } from "../../src/link/index.ts";
import { ElasticPool, FixedPool } from "../../src/pool/index.ts";
import { FakeError, FakeServer, within } from "./fake.ts";

/** Grants when told to, and keeps what was redeemed. */
class Gatekeeper implements DialPermits {
  readonly queue: (() => void)[] = [];
  readonly redeemed: DialEvidence[] = [];
  readonly names: string[] = [];

  request(endpointId: string, grant: () => void) {
    this.names.push(endpointId);
    this.queue.push(grant);
    return {
      yield: (evidence: DialEvidence) => {
        this.redeemed.push(evidence);
        const at = this.queue.indexOf(grant);
        if (at >= 0) this.queue.splice(at, 1);
      },
    };
  }

  grant(): void {
    this.queue.shift()?.();
  }
}

test("[mariadb-redis 12] two pools under one governor never dial more at once than it allows", async () => {
  const server = new FakeServer();
  const permits = new Governor({ maxConcurrentDials: 3 });
  const elastic = server.pool({ max: 20, dialConcurrency: 20, permits });
  const fixed = new FixedPool({ connector: server.connector(), size: 10, permits, world: server.world });
  const started = fixed.start();
  const leases = Promise.all(Array.from({ length: 10 }, () => elastic.acquire()));
  await within(server, 1_000, Promise.all([started, leases]));
  assert.equal(server.opened.length, 20);
  const startsMs = server.dialsAtMs;
  for (let i = 3; i < startsMs.length; i++) {
    assert.ok((startsMs[i] ?? 0) - (startsMs[i - 3] ?? 0) >= server.dialMs, `dial ${i} began too soon`);
  }
  assert.ok((startsMs.at(-1) ?? 0) > 5 * server.dialMs); // so they did wait for each other
  assert.deepEqual([permits.dialing, permits.parked], [0, 0]);
});

test("a dial that waits for its permit counts as one under way, and is withdrawn when the need is gone", async () => {
  const server = new FakeServer();
  const permits = new Gatekeeper();
  const pool = server.pool({ max: 3, dialConcurrency: 3, permits, name: "orders" });
  const leave = new AbortController();
  const callers = [1, 2, 3, 4].map(() => pool.acquire({ signal: leave.signal }).catch((error) => error));
  assert.deepEqual([permits.queue.length, pool.stats().dialing, server.dialsAtMs.length], [3, 3, 0]);
  permits.grant();
  assert.equal(server.dialsAtMs.length, 1);
  leave.abort(new Error("gone"));
  await Promise.all(callers);
  // What has begun goes on, because the server has paid for it; the others were never dialled.
  assert.deepEqual([permits.queue.length, pool.stats().dialing], [0, 1]);
  assert.deepEqual(permits.redeemed, ["unused", "unused"]);
  await server.clock.advanceAsync(100);
  assert.deepEqual(permits.redeemed, ["unused", "unused", "up"]);
  assert.deepEqual([...new Set(permits.names)], ["orders"]);
});

test("a permit is redeemed once also when dials fail, and when the pool closes while one is awaited", async () => {
  const server = new FakeServer();
  server.refuse = new FakeError("refused");
  const permits = new Gatekeeper();
  const pool = server.pool({ max: 2, permits });
  const waiting = pool.acquire().catch((error) => error);
  permits.grant();
  await server.clock.advanceAsync(20);
  assert.deepEqual(permits.redeemed, ["down"]);
  await server.clock.advanceAsync(10_000); // the retry asks anew
  assert.equal(permits.queue.length, 1);
  await within(server, 100, pool.close());
  assert.equal((await waiting).code, "HF_CLOSED");
  assert.deepEqual([permits.queue.length, permits.redeemed], [0, ["down", "unused"]]);
});

test("the name of the option is known", () => {
  const server = new FakeServer();
  assert.throws(() => new ElasticPool({ connector: server.connector(), permit: 1 } as never), /"permit"/);
});
