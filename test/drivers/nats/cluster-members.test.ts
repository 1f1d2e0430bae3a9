/** A real cluster of three on loopback, in Debian's version and in the current one. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connect as bareConnect } from "@nats-io/transport-node";
import type { NatsConnectOptions, ResilientNatsConnection } from "../../../src/drivers/nats/index.ts";
import type { NatsCluster, RunningServer } from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { withNatsCluster } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { connected, next, told } from "./support.ts";

const addressOf = ({ host, port }: RunningServer): string => `${host}:${port}`;

/** What the library itself hears at one member. */
async function witness(t: TestContext, member: RunningServer, subject: string): Promise<string[]> {
  const heard: string[] = [];
  const nc = await bareConnect({ servers: member.url, reconnect: false, ignoreClusterUpdates: true });
  t.after(() => nc.close());
  nc.subscribe(subject, { callback: (_error, message) => void heard.push(message.string()) });
  await nc.flush();
  return heard;
}

/** A client that can do without the member it is told to use first: it dials that one, and learns the others. */
async function client(
  t: TestContext,
  cluster: NatsCluster,
  options: NatsConnectOptions = {},
): Promise<{ nc: ResilientNatsConnection; member: RunningServer }> {
  const nc = await connected(t, cluster.urls[0] as string, options);
  await until("the other members", 10_000, () => nc.getServers().length === cluster.servers.length);
  return { nc, member: cluster.member(nc.getServer()) };
}

/** Interest takes a moment to cross the routes. */
async function crosses(publish: (text: string) => void, heard: readonly string[]): Promise<void> {
  await until("interest across the routes", 10_000, () => {
    publish("probe");
    return heard.includes("probe");
  });
}

for (const server of ["nats", "nats-current"] as const) {
  const version = server === "nats" ? "Debian's" : "current";

  test(`${version} cluster [nats 33] [nats 8]: kill -9 of the connected member: another at once, subscriptions and queue groups are there`, async (t) => {
    const cluster = await withNatsCluster(t, { server });
    if (cluster === undefined) return;
    const { nc, member } = await client(t, cluster, {
      reconnectTimeWait: 10_000,
      resilience: { stableAfterMs: 0 },
    });
    const plain: string[] = [];
    const grouped: string[] = [];
    nc.subscribe("k", { callback: (_e, m) => void plain.push(m.string()) });
    for (let i = 0; i < 2; i++)
      nc.subscribe("k", { queue: "q", callback: (_e, m) => void grouped.push(m.string()) });
    await nc.flush();
    const lost = next(nc, "disconnected");
    const back = next(nc, "reconnected");
    await member.kill9();
    await lost;
    const startMs = systemClock.nowMs();
    await back;
    assert.ok(systemClock.nowMs() - startMs < 9_000, "not after the wait of 10 s");
    assert.notEqual(nc.getServer(), addressOf(member));
    for (let i = 0; i < 20; i++) nc.publish("k", `${i}`);
    await nc.flush();
    const all = Array.from({ length: 20 }, (_, i) => `${i}`);
    assert.deepEqual(plain, all);
    assert.deepEqual(grouped.sort(), all.sort(), "each message once in the group");
  });

  test(`${version} cluster [nats 39]: SIGSTOP of the connected member is found within its bound; gone on, it holds no connection of ours`, async (t) => {
    const cluster = await withNatsCluster(t, { server });
    if (cluster === undefined) return;
    const { nc, member } = await client(t, cluster, {
      resilience: { liveness: { idleProbeMs: 200, probeTimeoutMs: 200 }, connectTimeoutMs: 500 },
    });
    const heard: string[] = [];
    nc.subscribe("s", { callback: (_e, m) => void heard.push(m.string()) });
    await nc.flush();
    const lost = next(nc, "disconnected");
    const back = next(nc, "reconnected");
    const startMs = systemClock.nowMs();
    await member.pause();
    await lost;
    assert.ok(
      systemClock.nowMs() - startMs < 9_000,
      "200 ms until it is asked, 200 ms for its answer; by default 20 s",
    );
    await back;
    assert.notEqual(nc.getServer(), addressOf(member));
    await member.resume();
    await until(
      "no connection at the frozen member",
      5_000,
      async () => (await member.connectionCount()) === 0,
    );
    await cluster.healthy();
    nc.publish("s", "once");
    await nc.flush();
    assert.deepEqual(heard, ["once"]);
  });

  test(`${version} cluster [nats 70]: a lame duck is left before it goes, and never is a subscription held on two members`, async (t) => {
    const cluster = await withNatsCluster(t, { server });
    if (cluster === undefined) return;
    const { nc, member } = await client(t, cluster);
    const heard: string[] = [];
    nc.subscribe("l", { callback: (_e, m) => void heard.push(m.string()) });
    await nc.flush();
    const other = cluster.servers.find((each) => each !== member) as RunningServer;
    const publisher = await bareConnect({ servers: other.url });
    t.after(() => publisher.close());
    await crosses((text) => publisher.publish("l", text), heard);
    const events = told(nc);
    const gap = next(nc, "gap");
    const back = next(nc, "reconnected");
    const stop = new AbortController();
    const publishing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) {
        publisher.publish("l", `${i}`);
        await publisher.flush();
      }
    })();
    member.signal("SIGUSR2");
    await back;
    assert.ok(member.running, "moved before it went");
    stop.abort();
    await publishing;
    assert.notEqual(nc.getServer(), addressOf(member));
    assert.equal(((await gap) as { subscription: string }).subscription, "l");
    assert.deepEqual(events, ["lameDuck", "disconnected", "gap", "reconnected"]);
    await nc.flush();
    const counted = heard.filter((text) => text !== "probe");
    assert.equal(new Set(counted).size, counted.length, "no message twice");
    assert.equal(await member.connectionCount(), 0);
  });

  test(`${version} cluster N4 N11 [nats 40]: members come and go with gossip; the given one stays, dead or not`, async (t) => {
    const cluster = await withNatsCluster(t, { server });
    if (cluster === undefined) return;
    const { nc, member: given } = await client(t, cluster);
    const known = () => nc.getServers().map(({ listen }) => listen);
    const [, second, third] = cluster.servers as [RunningServer, RunningServer, RunningServer];
    assert.deepEqual(
      nc.getServers().map(({ listen, gossiped }) => [listen, gossiped]),
      [
        [addressOf(given), false],
        ...known()
          .slice(1)
          .map((listen) => [listen, true]),
      ],
    );
    const before = next(nc, "discovered");
    await second.kill9();
    await before;
    await until("its removal", 10_000, () => !known().includes(addressOf(second)));
    assert.equal(known().length, 2);
    await second.restart();
    await until("its return", 10_000, () => known().includes(addressOf(second)));
    const back = next(nc, "reconnected");
    await given.kill9();
    await back;
    await until("INFO without the dead one", 10_000, () => known().length === 3);
    assert.ok(known().includes(addressOf(given)), "what was given is never forgotten");
    for (const each of [second, third]) await each.kill9();
    const home = next(nc, "reconnected");
    await given.restart();
    await home;
    assert.equal(nc.getServer(), addressOf(given), "the only one left, and it was given");
  });

  for (const how of ["gracefully", "by kill -9"] as const) {
    test(`${version} cluster N6: a rolling restart ${how}: each time it works again on another member, in order, nothing twice`, async (t) => {
      const cluster = await withNatsCluster(t, { server });
      if (cluster === undefined) return;
      const { nc } = await client(t, cluster);
      const events = told(nc);
      // Where we are connected the interest is local: routes between members that just met may drop messages.
      const witnesses = new Map<string, string[]>();
      for (const each of cluster.servers) witnesses.set(addressOf(each), await witness(t, each, "r"));
      let sent = 0;
      for (const member of cluster.servers) {
        await (how === "gracefully" ? member.stop() : member.kill9());
        await member.start();
        await cluster.healthy();
        witnesses.set(addressOf(member), await witness(t, member, "r"));
        await nc.resilience.whenReady();
        const texts = Array.from({ length: 10 }, () => `${sent++}`);
        for (const text of texts) nc.publish("r", text);
        await nc.flush();
        const heard = witnesses.get(nc.getServer()) as string[];
        await until("the ten", 10_000, () => heard.includes(texts[9] as string));
        assert.deepEqual(
          heard.filter((text) => texts.includes(text)),
          texts,
        );
        for (const [address, each] of witnesses)
          assert.equal(new Set(each).size, each.length, `${address} heard none twice`);
      }
      const moves = events.filter((name) => name === "reconnected").length;
      assert.ok(moves >= 1 && moves <= 3, `${moves} moves`);
      assert.equal(events.filter((name) => name === "disconnected").length, moves);
      assert.ok(nc.resilience.snapshot().dials <= 3 * moves + 1, "no dial beyond need");
    });
  }
}
