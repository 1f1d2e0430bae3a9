/**
 * What nats.js itself does, side by side with ours, against the same kind of server in the same test. The numbers are
 * rows of the table of differences between nats.js and nats.go that the driver was written from: once connected.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect as bareConnect } from "@nats-io/transport-node";
import { constant } from "../../../src/backoff/index.ts";
import { isHoldfastError } from "../../../src/call/index.ts";
import { connect, type ResilientNatsConnection } from "../../../src/drivers/nats/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { cut, down, fast, type Side, sides, status, within } from "./bare-support.ts";
import { type FakeBehaviour, fakeNats, sayInfo } from "./fake-server.ts";

test("nats.js 4.2/5: published during an outage: nats.js loses it without an error, ours arrives", async (t) => {
  const { bare, ours } = await sides(t);
  for (const { nc, server } of [bare, ours]) {
    const { port } = server;
    await down(nc, server);
    for (let i = 0; i < 10; i++) nc.publish("x", `message ${i}`);
    const back = status(nc, "reconnect");
    const again = await fakeNats(t, {}, port);
    await back;
    await nc.flush();
    const arrived = again.lines.filter((line) => line.startsWith("message")).length;
    assert.equal(arrived, nc === ours.nc ? 10 : 0);
  }
});

test("nats.js 4.2/5: a publish beyond any bound while down: nats.js takes 40 MB without a word, ours refuses after 8 MiB", async (t) => {
  const { bare, ours } = await sides(t, undefined, { reconnectTimeWait: 60_000 });
  for (const { nc, server } of [bare, ours]) {
    await down(nc, server);
    const megabyte = new Uint8Array(1_000_000);
    const publishing = () => {
      for (let i = 0; i < 40; i++) nc.publish("x", megabyte);
    };
    if (nc === bare.nc) publishing();
    else
      assert.throws(
        publishing,
        (error: unknown) => isHoldfastError(error) && error.code === "HF_OUTBOX_FULL",
      );
  }
});

test("nats.js 4.2/7: a request in flight at a loss: nats.js waits its whole timeout, ours fails at once with its outcome", async (t) => {
  const { bare, ours } = await sides(t);
  for (const side of [bare, ours]) {
    const request = side.nc.request("x", "q", { timeout: 30_000 });
    request.catch(() => {});
    await until("the request to arrive", 5_000, () => side.server.lines.includes("q"));
    cut(side);
    const after = await within(request, side === bare ? 500 : 10_000);
    if (side === bare) assert.equal(after, "nothing");
    else assert.ok(isHoldfastError(after) && after.outcome === "maybe-applied");
  }
});

test("nats.js 4.2/8: flush while down: nats.js rejects, ours resolves when the next server has read", async (t) => {
  const { bare, ours } = await sides(t);
  for (const { nc, server } of [bare, ours]) {
    const { port } = server;
    await down(nc, server);
    const flush = nc.flush();
    flush.catch(() => {});
    const again = await fakeNats(t, {}, port);
    const result = await within(flush, 5_000);
    if (nc === bare.nc) assert.match(String(result), /disconnected/);
    else assert.equal(result, "resolved");
    void again;
  }
});

test("nats.js 4.2/9: drain while down: nats.js comes back as a zombie, ours ends", async (t) => {
  const { bare, ours } = await sides(t, undefined, { resilience: { drainTimeoutMs: 300 } });
  for (const { nc, server } of [bare, ours]) {
    const { port } = server;
    await down(nc, server);
    const back = nc === bare.nc ? status(nc, "reconnect") : undefined;
    const drained = within(nc.drain(), 5_000);
    await fakeNats(t, {}, port);
    await back;
    if (nc === bare.nc) {
      assert.equal(nc.isClosed(), false);
      assert.throws(() => nc.publish("x"), /drain/);
    } else {
      assert.equal(await drained, "resolved");
      assert.ok(nc.isClosed());
    }
  }
});

test("nats.js 4.2/14: two refusals with a success between them: nats.js closes for good, ours goes on", async (t) => {
  const refuse: FakeBehaviour["line"] = (line, socket, n) => {
    if (!line.startsWith("CONNECT") || (n !== 2 && n !== 4)) return undefined;
    socket.end("-ERR 'Authorization Violation'\r\n");
    return false;
  };
  const { bare, ours } = await sides(t, () => ({ line: refuse }), {
    resilience: { auth: { backoff: constant(10) } },
  });
  for (const side of [bare, ours]) {
    const first = status(side.nc, "reconnect");
    cut(side);
    await first;
    const second = status(side.nc, "reconnect");
    cut(side);
    if (side === bare) assert.notEqual(await within(side.nc.closed(), 5_000), "nothing");
    else assert.notEqual(await within(second, 5_000), "nothing");
    assert.equal(side.nc.isClosed(), side === bare);
  }
});

test("nats.js 4.2/17: an authenticator that throws once: nats.js closes for good, ours asks again", async (t) => {
  for (const kind of ["nats.js", "ours"]) {
    let calls = 0;
    const server = await fakeNats(t);
    const options = {
      ...fast,
      servers: server.url,
      authenticator: () => {
        if (++calls === 2) throw new Error("no credentials just now");
        return { auth_token: "t" };
      },
    };
    const nc = kind === "ours" ? await connect(options) : await bareConnect(options);
    t.after(() => nc.close());
    const back = status(nc, "reconnect");
    for (const socket of server.open) socket.destroy();
    if (kind === "ours") assert.notEqual(await within(back, 5_000), "nothing");
    else assert.notEqual(await within(nc.closed(), 5_000), "nothing");
    assert.equal(nc.isClosed(), kind !== "ours");
  }
});

test("nats.js 4.2/13: the server closes after INFO: nats.js waits its whole timeout, ours fails at once", async (t) => {
  const server = await fakeNats(t, {
    line: (line, socket) => {
      if (!line.startsWith("CONNECT")) return undefined;
      socket.destroy();
      return false;
    },
  });
  const tookMs = async (connecting: () => Promise<unknown>): Promise<number> => {
    const startMs = systemClock.nowMs();
    await assert.rejects(connecting());
    return systemClock.nowMs() - startMs;
  };
  const options = { ...fast, maxReconnectAttempts: 1, servers: server.url };
  assert.ok((await tookMs(() => bareConnect({ ...options, timeout: 1_000 }))) >= 990);
  assert.ok((await tookMs(() => connect({ ...options, timeout: 20_000 }))) < 10_000);
});

test("nats.js 4.2/11: INFO without connect_urls: nats.js forgets what it learned, ours keeps it", async (t) => {
  const { bare, ours } = await sides(t, () => ({
    info: () => ({ connect_urls: ["127.0.0.1:2", "127.0.0.1:3"] }),
  }));
  for (const { nc, server } of [bare, ours]) {
    assert.equal(nc.getServers().length, 3);
    sayInfo(server);
    await nc.flush();
    assert.equal(nc.getServers().length, nc === bare.nc ? 1 : 3);
  }
});

test("nats.js 4.2/10: a subscription's maximum after a reconnect: nats.js sends SUB only, ours the remainder too", async (t) => {
  const { bare, ours } = await sides(t);
  for (const side of [bare, ours]) {
    side.nc.subscribe("m", { max: 7, callback: () => {} });
    await side.nc.flush();
    const before = side.server.lines.length;
    const back = status(side.nc, "reconnect");
    cut(side);
    await back;
    await side.nc.flush();
    const after = side.server.lines.slice(before).filter((line) => /^(SUB|UNSUB)/.test(line));
    assert.deepEqual(after, side === bare ? ["SUB m 1"] : ["SUB m 1", "UNSUB 1 7"]);
  }
});

test("nats.js 4.2/21: pingInterval -1: nats.js storms the server with PINGs, ours sends none", async (t) => {
  const { bare, ours } = await sides(t, undefined, { pingInterval: -1, maxPingOut: 1_000 });
  const pings = ({ server }: Side) => server.lines.filter((line) => line === "PING").length;
  await until("a storm", 5_000, () => pings(bare) > 50);
  assert.equal(pings(ours), 1, "only that of the handshake");
});

test("nats.js 4.2/16: reconnect() in back-off: nats.js does nothing, ours dials", async (t) => {
  const { bare, ours } = await sides(t, undefined, { reconnectTimeWait: 30_000 });
  for (const side of [bare, ours]) {
    const { port } = side.server;
    await down(side.nc, side.server);
    const again = await fakeNats(t, {}, port);
    await side.nc.reconnect();
    // Both wait 30 s between attempts: nats.js is looked at for a second only.
    const dialled = until("a dial", side === ours ? 10_000 : 1_000, () => again.accepted() > 0);
    assert.equal((await within(dialled, 20_000)) === "resolved", side === ours);
  }
});

test("nats.js 4.2/6: a server that does not read: nats.js queues 40 MB without a word, ours refuses after 16 MiB", async (t) => {
  const { bare, ours } = await sides(t);
  for (const side of [bare, ours]) {
    for (const socket of side.server.open) socket.pause();
    const megabyte = new Uint8Array(1_000_000);
    let taken = 0;
    const publishing = () => {
      for (; taken < 40; taken++) side.nc.publish("x", megabyte);
    };
    if (side === bare) publishing();
    else {
      assert.throws(publishing, (error) => isHoldfastError(error) && error.code === "HF_WRITE_BUFFER_FULL");
      assert.ok(taken >= 16 && taken <= 20, `${taken} MB, and what the kernel took`);
    }
  }
});

test("nats.js 4.2/12: an -ERR and the server's close: nats.js tells the loss without its reason, ours with it", async (t) => {
  const { bare, ours } = await sides(t);
  for (const { nc, server } of [bare, ours]) {
    const told = (async () => {
      for await (const each of nc.status()) if (each.type === "disconnect") return each;
      return undefined;
    })();
    const cause = new Promise<unknown>((resolve) => {
      if ("resilience" in nc)
        (nc as ResilientNatsConnection).resilience.on("disconnected", (e) => resolve(e.cause));
      else resolve(undefined);
    });
    for (const socket of server.open) socket.end("-ERR 'Something Nobody Knows'\r\n");
    assert.deepEqual(Object.keys((await told) ?? {}).sort(), ["server", "type"]);
    if (nc === bare.nc) assert.equal(await cause, undefined);
    else assert.match(String(await cause), /Something Nobody Knows/i);
  }
});
