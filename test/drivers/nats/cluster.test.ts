import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunningServer } from "../../../src/lab/index.ts";
import { freePort } from "../../../src/lab/servers/port.ts";
import { systemClock } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { fakeNats, infoLine, sayInfo } from "./fake-server.ts";
import { connected, next, withNats } from "./support.ts";

/** Two servers that know each other. */
async function pair(t: Parameters<typeof withNats>[0]): Promise<[RunningServer, RunningServer] | undefined> {
  const route = await freePort();
  const first = await withNats(t, {
    config: { cluster: `{ name: pair, host: "127.0.0.1", port: ${route} }` },
  });
  if (first === undefined) return undefined;
  const second = await withNats(t, {
    config: {
      cluster: `{ name: pair, host: "127.0.0.1", port: ${await freePort()}, routes: ["nats://127.0.0.1:${route}"] }`,
    },
  });
  return second === undefined ? undefined : [first, second];
}

test("N4 N11 [nats 33]: a server learned from the cluster is dialled at once when the given one is killed", async (t) => {
  const servers = await pair(t);
  if (servers === undefined) return;
  const [first, second] = servers;
  const nc = await connected(t, first.url, { reconnectTimeWait: 10_000, resilience: { stableAfterMs: 0 } });
  const id = `127.0.0.1:${second.port}`;
  await until("the other server", 10_000, () => nc.getServers().some((server) => server.listen === id));
  const learned = nc.getServers().find((server) => server.listen === id);
  assert.equal(learned?.gossiped, true);
  let count = 0;
  nc.subscribe("c", { callback: () => void count++ });
  const lost = next(nc, "disconnected");
  const back = next(nc, "reconnected");
  await first.kill9();
  await lost;
  const startMs = systemClock.nowMs();
  await back;
  assert.ok(systemClock.nowMs() - startMs < 9_000, "no wait of 10 s before another server");
  assert.equal(nc.getServer(), id);
  nc.publish("c");
  await nc.flush();
  assert.equal(count, 1);
});

test("[nats 70]: a lame duck is left before it goes: no message published meanwhile is lost", async (t) => {
  const servers = await pair(t);
  if (servers === undefined) return;
  const [first, second] = servers;
  const witness = await connected(t, second.url, { ignoreClusterUpdates: true });
  const seen = new Set<string>();
  witness.subscribe("l", { callback: (_e, msg) => void seen.add(msg.string()) });
  await witness.flush();
  const nc = await connected(t, first.url);
  await until("the other server", 10_000, () => nc.getServers().length === 2);
  await until("the interest to cross the route", 10_000, async () => {
    nc.publish("l", "probe");
    await nc.flush();
    return seen.has("probe");
  });
  const lame = next(nc, "lameDuck");
  const back = next(nc, "reconnected");
  process.kill(first.pid, "SIGUSR2");
  await lame;
  for (let i = 0; i < 50; i++) nc.publish("l", `${i}`);
  await back;
  assert.equal(nc.getServer(), `127.0.0.1:${second.port}`);
  await nc.flush();
  await until("all of it", 5_000, () => seen.size === 51);
});

test("[nats 56]: discovered servers come and go with INFO; one without connect_urls, and given ones, are left alone", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, ["127.0.0.1:1", server.url], { noRandomize: false });
  const known = () =>
    nc
      .getServers()
      .map((each) => each.listen)
      .sort();
  const given = ["127.0.0.1:1", `127.0.0.1:${server.port}`].sort();
  const say = async (urls: string[] | undefined): Promise<void> => {
    sayInfo(server, { ...(urls && { connect_urls: urls }) });
    await nc.flush();
  };
  await say(["127.0.0.1:2", "127.0.0.1:3"]);
  assert.deepEqual(known(), [...given, "127.0.0.1:2", "127.0.0.1:3"].sort());
  await say(undefined);
  assert.equal(known().length, 4);
  await say(["127.0.0.1:3"]);
  assert.deepEqual(known(), [...given, "127.0.0.1:3"].sort());
  const back = next(nc, "reconnected");
  for (const socket of server.open) socket.destroy();
  await back;
  assert.deepEqual(known(), [...given, "127.0.0.1:3"].sort(), "also after a reconnect");
});

test("[nats 56]: an INFO right behind the handshake's PONG is read, and changes nothing of the connection", async (t) => {
  const server = await fakeNats(t, {
    line: (line, socket, n) => {
      if (line !== "PING" || n > 1) return undefined;
      socket.write(`PONG\r\n${infoLine({ connect_urls: ["127.0.0.1:2"] })}`);
      return false;
    },
  });
  const nc = await connected(t, server.url);
  await nc.flush();
  assert.deepEqual(
    nc.getServers().map(({ listen, gossiped }) => [listen, gossiped]),
    [
      [`127.0.0.1:${server.port}`, false],
      ["127.0.0.1:2", true],
    ],
  );
  assert.equal(server.accepted(), 1);
});

test("[nats 41]: discovered servers are ignored where asked", async (t) => {
  const server = await fakeNats(t, { info: () => ({ connect_urls: ["127.0.0.1:2"] }) });
  const nc = await connected(t, server.url, { ignoreClusterUpdates: true });
  assert.equal(nc.getServers().length, 1);
});

test("[nats 24] [nats 25] [nats 26] [nats 27]: reconnectToServer chooses server and delay; null, a stranger and a throw get the default", async (t) => {
  const a = await fakeNats(t);
  const b = await fakeNats(t);
  const answers: ((pool: readonly { listen: string }[]) => unknown)[] = [];
  let asked = 0;
  const nc = await connected(t, [a.url, b.url], {
    resilience: { stableAfterMs: 0 },
    reconnectToServer: (pool) => {
      asked++;
      return (answers.shift()?.(pool) ?? null) as never;
    },
  });
  const toldErrors: string[] = [];
  void (async () => {
    for await (const status of nc.status())
      if (status.type === "error") toldErrors.push(status.error.message);
  })();
  const of = (port: number) => (pool: readonly { listen: string }[]) =>
    pool.find((s) => s.listen.endsWith(`:${port}`));
  const cut = async (answer: (pool: readonly { listen: string }[]) => unknown): Promise<number> => {
    answers.push(answer);
    const back = next(nc, "reconnected");
    const startMs = systemClock.nowMs();
    for (const socket of [...a.open, ...b.open]) socket.destroy();
    await back;
    return systemClock.nowMs() - startMs;
  };
  for (let i = 0; i < 3; i++) {
    await cut(of(a.port));
    assert.equal(nc.getServer(), `127.0.0.1:${a.port}`);
  }
  assert.equal(asked, 4, "once for the first connect and once for each reconnect");
  const tookMs = await cut((pool) => ({ server: of(b.port)(pool), delay: 300 }));
  assert.ok(tookMs >= 295 && tookMs < 10_000, `${tookMs} ms`);
  await cut(() => null);
  await cut(() => ({ listen: "10.9.8.7:1" }));
  await cut(() => {
    throw new Error("the handler's own");
  });
  assert.equal(toldErrors.length, 2);
  assert.match(toldErrors.join(), /not in the pool.*handler's own/);
});
