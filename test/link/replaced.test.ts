/** What an owner may change or ask of a link that is down: other endpoints, and a dial although reconnecting is off. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { list } from "../../src/backoff/index.ts";
import { Fake, refused } from "./support/fake.ts";

const at = (host: string) => ({ host, port: 1 });
const hosts = (fake: Fake): string => fake.dials.map(({ host }) => host).join("");

test("other endpoints: the connection in use stays, the next attempt goes to the new ones", async () => {
  const fake = new Fake({ hosts: ["a", "b"] });
  await fake.link.connect();
  fake.link.setEndpoints([at("c"), at("d")]);
  assert.equal(fake.link.phase, "ready");
  assert.deepEqual(
    fake.link.snapshot().candidates.map(({ id }) => id),
    ["c:1", "d:1"],
  );
  fake.lose();
  await fake.advance(1_000);
  assert.equal(hosts(fake), "ac");
  await fake.link.close();
  assert.throws(() => fake.link.setEndpoints([at("e")]), /closed/);
});

test("a wait for an endpoint that is gone goes on for the next one; a new one is a reason not to wait", async () => {
  const fake = new Fake({ hosts: ["a", "b", "c"], policy: { backoff: list([0, 60_000]) } });
  await fake.link.connect();
  fake.answer = () => refused();
  fake.lose();
  await fake.advance(100);
  assert.equal(fake.link.phase, "waiting");
  const dueMs = fake.link.snapshot().next?.inMs;
  fake.link.setEndpoints([at("b")]);
  assert.deepEqual(fake.link.snapshot().next, { endpoint: "b:1", inMs: dueMs });
  fake.answer = () => "accept";
  fake.link.setEndpoints([at("b"), at("n")]);
  await fake.advance(0);
  assert.equal(fake.last.host, "n");
  assert.equal(fake.link.phase, "ready");
});

test("a link parked for an endpoint that is gone asks for another one's permit", async () => {
  const asked: string[] = [];
  let grant: (() => void) | undefined;
  let yielded = 0;
  const permits = {
    request(id: string, granted: () => void) {
      asked.push(id);
      grant = granted;
      return { yield: () => void yielded++ };
    },
  };
  const fake = new Fake({ config: { permits } });
  void fake.link.connect();
  fake.link.setEndpoints([at("b")]);
  assert.deepEqual([asked, yielded], [["a:1", "b:1"], 1]);
  grant?.();
  await fake.advance(0);
  assert.equal(hosts(fake), "b");
  await fake.link.close();
});

test("reconnecting is off: a forced reconnect gets one round over the endpoints", async () => {
  const fake = new Fake({ hosts: ["a", "b"], policy: { reconnect: false } });
  await fake.link.connect();
  await fake.advance(1_000);
  fake.link.reconnectNow();
  await fake.advance(0);
  assert.equal(fake.link.phase, "ready");
  assert.equal(hosts(fake), "aa");
  fake.answer = () => refused();
  await fake.advance(1_000);
  fake.link.failover();
  await fake.advance(60_000);
  assert.equal(hosts(fake), "aab");
  assert.equal(fake.told.at(-1), "closed reconnect-disabled");
});
