import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Endpoint, EndpointSet } from "../../src/endpoint/index.ts";
import { seededRandom } from "../../src/time/index.ts";

const at = (host: string): Endpoint => ({ host, port: 1 });
const random = seededRandom(7);
const given = (hosts: string, maxAttemptsPerEndpoint?: number): EndpointSet =>
  EndpointSet.of(
    [...hosts].map(at),
    { order: "given", ...(maxAttemptsPerEndpoint && { maxAttemptsPerEndpoint }) },
    random,
  );
const ids = (set: EndpointSet): string => set.candidates.map((c) => c.id[0]).join("");

test("a round tries every endpoint once, in order; the failed one goes last", () => {
  let set = given("abc");
  const tried: string[] = [];
  for (let next = set.pick(); next !== undefined; next = set.pick()) {
    tried.push(next.id);
    set = set.dialled(next.id, 10).toBack(next.id);
  }
  assert.deepEqual(tried, ["a:1", "b:1", "c:1"]);
  assert.equal(set.startRound().pick()?.id, "a:1");
  set = given("abc").dialled("a:1", 1).toBack("a:1").startRound();
  assert.equal(ids(set), "bca");
});

test("shuffled is the default, keeps every endpoint, and names twice given count once", () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 50; seed++)
    orders.add(ids(EndpointSet.of([..."abca"].map(at), {}, seededRandom(seed))));
  assert.equal(orders.size, 6, "all orders of three occur");
});

test("gossip: new ones come in behind the first, unnamed ones go; given ones and the one in use stay", () => {
  let set = given("ab").discover([at("c"), at("d")], undefined, random);
  assert.equal(set.candidates[0]?.id, "a:1");
  assert.deepEqual(new Set(ids(set)), new Set("abcd"));
  set = set.discover([at("e")], "d:1", random);
  assert.deepEqual(new Set(ids(set)), new Set("abde"), "c is gone, d is in use");
  assert.equal(set.discover([], undefined, random), set, "an empty list changes nothing");
});

test("an endpoint that is gone and comes back remembers when it was dialled", () => {
  const set = given("a")
    .discover([at("b")], undefined, random)
    .dialled("b:1", 500)
    .discover([at("c")], undefined, random)
    .discover([at("b")], undefined, random);
  assert.equal(set.candidates.find((c) => c.id === "b:1")?.dialledMs, 500);
});

test("spent endpoints are not tried; success or a new mention makes one usable again", () => {
  const spent = given("a", 2).dialled("a:1", 0).startRound().dialled("a:1", 1).startRound();
  assert.equal(spent.exhausted, true);
  assert.equal(spent.pick(), undefined);
  assert.equal(spent.succeeded("a:1").pick()?.id, "a:1");
  assert.equal(spent.discover([at("a")], undefined, random).pick()?.id, "a:1");
});

test("whatever the system says of itself, given endpoints are never deleted and ids stay unique", () => {
  const names = fc.array(fc.constantFrom(..."abcdefgh"), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 12 }), fc.integer(), (rounds, seed) => {
      let set = given("abc");
      const chance = seededRandom(seed);
      for (const named of rounds) {
        set = set.discover(named.map(at), undefined, chance);
        const hosts = ids(set);
        assert.equal(new Set(hosts).size, hosts.length);
        for (const host of new Set(["a", "b", "c", ...named])) assert.ok(hosts.includes(host));
      }
    }),
  );
});

test("replaced by the owner: all of the new ones and no others; those that stay keep their counts", () => {
  let set = given("abc", 3).discover([at("d")], undefined, random);
  for (const id of ["a:1", "a:1", "d:1"]) set = set.dialled(id, 7);
  set = set.replace([at("d"), at("e"), at("a")], "given", random);
  assert.equal(ids(set), "dea");
  assert.deepEqual(
    set.candidates.map(({ origin, failures, dialledMs }) => [origin, failures, dialledMs]),
    [
      ["given", 1, 7],
      ["given", 0, Number.NEGATIVE_INFINITY],
      ["given", 2, 7],
    ],
  );
  assert.equal(ids(set.discover([at("f")], undefined, random)).length, 4, "what was discovered is given now");
  const back = set.replace([at("b")], "given", random).replace([at("a")], "given", random);
  assert.deepEqual(
    back.candidates.map(({ failures, dialledMs }) => [failures, dialledMs]),
    [[0, 7]],
    "one that was gone starts to count anew, and keeps its distance",
  );
  const orders = new Set<string>();
  for (let seed = 0; seed < 50; seed++)
    orders.add(ids(set.replace([..."abc"].map(at), "shuffled", seededRandom(seed))));
  assert.equal(orders.size, 6);
});

test("no attempts: a lost one is not tried again, each other one once", () => {
  const none = EndpointSet.of([..."abc"].map(at), { order: "given", maxAttemptsPerEndpoint: 0 }, random);
  assert.equal(none.exhausted, false, "the first connect may try them");
  let set = none.dialled("a:1", 1).succeeded("a:1").lost("a:1").startRound();
  const tried: string[] = [];
  for (let next = set.pick(); next !== undefined; next = set.pick()) {
    tried.push(next.id);
    set = set.dialled(next.id, 2).toBack(next.id).startRound();
  }
  assert.deepEqual(tried, ["b:1", "c:1"]);
  assert.ok(set.exhausted);
});
