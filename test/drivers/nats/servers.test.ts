/** The list of servers: given, changed, spent, named by host; as whom each is logged in to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { connect, fromGoOptions, type NatsConnectOptions } from "../../../src/drivers/nats/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { type FakeServer, fakeNats } from "./fake-server.ts";
import { connected, next } from "./support.ts";

const id = ({ port }: FakeServer): string => `127.0.0.1:${port}`;

function cut(server: FakeServer): void {
  for (const socket of server.open) socket.destroy();
}

test("[nats 28] [nats 32]: setServers: the connection stays, the next reconnect uses the new list; a list is a copy", async (t) => {
  const [a, b] = [await fakeNats(t), await fakeNats(t)];
  const nc = await connected(t, a.url, { resilience: { stableAfterMs: 0 } });
  const before = nc.getServers();
  nc.setServers([id(b)]);
  assert.deepEqual(
    before.map(({ listen }) => listen),
    [id(a)],
    "what was given out does not change",
  );
  assert.deepEqual(
    nc.getServers().map(({ listen, gossiped, didConnect }) => [listen, gossiped, didConnect]),
    [[id(b), false, false]],
  );
  assert.throws(() => {
    (nc.getServers()[0] as { listen: string }).listen = "elsewhere:1";
  }, TypeError);
  await nc.flush();
  assert.equal(nc.getServer(), id(a), "the connection in use stays");
  const back = next(nc, "reconnected");
  await nc.reconnect();
  await back;
  assert.equal(nc.getServer(), id(b));
  assert.equal(nc.getServers()[0]?.didConnect, true);
  await nc.close();
  assert.throws(() => nc.setServers([id(a)]), /closed/);
});

test("setServers while down: a new server is dialled without waiting", async (t) => {
  const [a, b] = [await fakeNats(t), await fakeNats(t)];
  const nc = await connected(t, a.url, { reconnectTimeWait: 600_000, resilience: { stableAfterMs: 0 } });
  const failed = next(nc, "attemptFailed");
  await a.close();
  await failed;
  const back = next(nc, "reconnected");
  const startMs = systemClock.nowMs();
  nc.setServers([id(b)]);
  await back;
  assert.ok(systemClock.nowMs() - startMs < 60_000);
  assert.equal(nc.getServer(), id(b));
});

test("[nats 29] [nats 30]: setServers: one bad entry, an empty list or another scheme leaves the list as it was", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url);
  const refused = (servers: unknown, words: RegExp): void =>
    assert.throws(
      () => nc.setServers(servers as string[]),
      (error) => isHoldfastError(error) && error.code === "HF_OPTION" && words.test(error.message),
    );
  refused(["127.0.0.1:1", "nats://:s3cret@"], /servers\[1\]/);
  refused(["127.0.0.1:1", 7], /servers\[1\]/);
  refused([], /at least one/);
  refused("127.0.0.1:1", /list/);
  refused(["127.0.0.1:1", "ws://127.0.0.1:2"], /not both/);
  refused(["wss://127.0.0.1:2"], /no WebSocket/);
  assert.deepEqual(
    nc.getServers().map(({ listen }) => listen),
    [id(server)],
  );
  await assert.rejects(connect({ servers: ["nats://a", "wss://b"] }), /not both/);
});

test("[nats 31] [nats 36]: failures of a server that stays in the list count on", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, {
    maxReconnectAttempts: 4,
    reconnectTimeWait: 100,
    reconnectJitter: 0,
  });
  let failures = 0;
  nc.resilience.on("attemptFailed", () => {
    failures++;
    if (failures !== 2) return;
    assert.equal(nc.getServers()[0]?.reconnects, 2);
    nc.setServers([id(server)]);
    assert.equal(nc.getServers()[0]?.reconnects, 2);
  });
  await server.close();
  await nc.closed();
  assert.equal(failures, 4);
});

test("MaxReconnect 0: the server that was lost is not dialled again, each other one once", async (t) => {
  for (const spelt of [fromGoOptions({ MaxReconnect: 0 }), { maxReconnectAttempts: 0 }]) {
    const servers = [await fakeNats(t), await fakeNats(t), await fakeNats(t)];
    const [a, b, c] = servers as [FakeServer, FakeServer, FakeServer];
    const nc = await connected(
      t,
      servers.map(({ url }) => url),
      { ...spelt, noRandomize: true },
    );
    const dialled: string[] = [];
    nc.resilience.on("attempt", ({ endpoint }) => void dialled.push(endpoint));
    await b.close();
    await c.close();
    cut(a);
    await nc.closed();
    assert.deepEqual(dialled, [id(b), id(c)]);
    const alone = await connected(t, a.url, spelt);
    cut(a);
    await alone.closed();
    assert.equal(alone.resilience.snapshot().dials, 1);
  }
});

test("[nats 69]: each server's own login is used, members take over that of who named them; no list shows one", async (t) => {
  const member = await fakeNats(t);
  const first = await fakeNats(t, { info: () => ({ connect_urls: [id(member)] }) });
  const second = await fakeNats(t);
  const withLogin = (server: FakeServer, login: string): string => server.url.replace("//", `//${login}@`);
  const nc = await connected(t, [withLogin(first, "ann:s3cret-1"), withLogin(second, "t0ken-2")], {
    resilience: { stableAfterMs: 0 },
  });
  const login = (server: FakeServer): unknown => {
    const line = server.lines.findLast((each) => each.startsWith("CONNECT "));
    const { user, pass, auth_token } = JSON.parse(line?.slice("CONNECT ".length) ?? "{}");
    return [user, pass, auth_token];
  };
  for (const [server, expected] of [
    [first, ["ann", "s3cret-1", undefined]],
    [second, [undefined, undefined, "t0ken-2"]],
    [member, ["ann", "s3cret-1", undefined]],
  ] as const) {
    const known = nc.getServers().map(({ listen }) => listen);
    if (nc.getServer() !== id(server)) {
      const back = next(nc, "reconnected");
      nc.setServers([id(server), ...known.filter((each) => each !== id(server))]);
      nc.resilience.failover();
      await back;
    }
    assert.equal(nc.getServer(), id(server));
    assert.deepEqual(login(server), expected);
  }
  const shown = JSON.stringify([
    nc.getServers(),
    nc.resilience.snapshot(),
    nc.resilience.explain(),
    nc.getServer(),
  ]);
  assert.ok(!/s3cret|t0ken/.test(shown), shown);
});

test("[nats 69]: servers take turns, a spent one is left out, new ones stand behind the one in use", async (t) => {
  const servers = [await fakeNats(t), await fakeNats(t), await fakeNats(t)];
  const [a, b, c] = servers as [FakeServer, FakeServer, FakeServer];
  const nc = await connected(
    t,
    servers.map(({ url }) => url),
    { maxReconnectAttempts: 2, reconnectTimeWait: 10, resilience: { stableAfterMs: 0 } },
  );
  const dialled: string[] = [];
  nc.resilience.on("attempt", ({ endpoint }) => void dialled.push(endpoint));
  for (const server of [b, c, a]) await server.close(); // the one in use last
  await nc.closed();
  assert.deepEqual(dialled, [b, c, a, b, c, a].map(id));

  const known = await fakeNats(t, {
    info: () => ({ connect_urls: Array.from({ length: 20 }, (_, i) => `127.0.0.1:${i + 1}`) }),
  });
  const other = await connected(t, known.url, { noRandomize: false });
  assert.equal(other.getServers().length, 21);
  assert.equal(other.getServers()[0]?.listen, id(known));
});

test("[nats 69]: the list may shrink while it is walked", async (t) => {
  const servers = await Promise.all(Array.from({ length: 5 }, () => fakeNats(t)));
  const [first, last] = [servers[0], servers[4]] as [FakeServer, FakeServer];
  const nc = await connected(
    t,
    servers.slice(0, 4).map(({ url }) => url),
    { resilience: { stableAfterMs: 0 } },
  );
  let failures = 0;
  nc.resilience.on("attemptFailed", () => {
    if (++failures === 2) nc.setServers([id(first), id(last)]);
  });
  const back = next(nc, "reconnected");
  for (const server of servers.slice(1, 4)) await server.close();
  await first.close(); // the one in use last
  await back;
  assert.equal(nc.getServer(), id(last));
  assert.deepEqual(
    nc
      .getServers()
      .map(({ listen }) => listen)
      .sort(),
    [first, last].map(id).sort(),
  );
});

/** A name of several addresses, as the system's resolver would answer. */
type Lookup = NonNullable<NonNullable<NatsConnectOptions["resilience"]>["lookup"]>;

function resolving(...addresses: string[]): Lookup {
  return ((_host: string, options: { all?: boolean }, callback: (...answer: unknown[]) => void) => {
    const all = addresses.map((address) => ({ address, family: 4 }));
    if (options.all) callback(null, all);
    else callback(null, addresses[0], 4);
  }) as never;
}

test("every address of a name is tried within one attempt, also after one that refuses", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, `many.example:${server.port}`, {
    resilience: { lookup: resolving("127.0.0.9", "127.0.0.8", "127.0.0.1") },
  });
  assert.equal(nc.resilience.snapshot().dials, 1);
  const nowhere = connect({
    servers: `many.example:${server.port}`,
    resilience: { lookup: resolving("127.0.0.9", "127.0.0.8") },
  });
  await assert.rejects(nowhere, (error: unknown) => {
    let cause = error;
    while (cause instanceof Error && !(cause instanceof AggregateError)) cause = cause.cause;
    assert.ok(cause instanceof AggregateError, "one cause for each address");
    assert.equal(cause.errors.length, 2);
    return true;
  });
});

test("[nats 62]: servers and the addresses of a name are shuffled evenly, or taken in order", async (t) => {
  const server = await fakeNats(t);
  const hosts = Array.from({ length: 3 }, (_, i) => `127.0.0.${i + 1}`);
  const first = async (noRandomize: boolean): Promise<string> => {
    let asked: string | undefined;
    const nc = await connect({
      servers: hosts.map((_, i) => `host-${i}:${server.port}`),
      noRandomize,
      resilience: {
        lookup: ((host: string, ...rest: unknown[]) => {
          asked ??= host;
          return (resolving("127.0.0.1") as (...all: unknown[]) => void)(host, ...rest);
        }) as never,
      },
    });
    await nc.close();
    return asked as string;
  };
  const counts = new Map<string, number>();
  for (let i = 0; i < 90; i++) {
    const host = await first(false);
    counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  // Even would be 30 each; fewer than 12 has a probability of about 1 in 200,000 for each of the three.
  assert.equal(counts.size, 3);
  for (const [host, count] of counts) assert.ok(count >= 12, `${host} ${count}`);
  for (let i = 0; i < 5; i++) assert.equal(await first(true), "host-0");
});
