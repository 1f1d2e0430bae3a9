import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { type RunningServer, ServerUnavailable } from "../../../src/lab/index.ts";
import { withNatsCluster, withServer } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { open } from "./wire.ts";

test("nats: starts, greets, is killed and comes back on its port", async (t) => {
  const nats = await withServer(t, "nats", { password: "p" });
  if (nats === undefined) return;
  assert.match(nats.version, /^\d+\.\d+/);
  for (let run = 0; run < 2; run++) {
    const socket = await open(nats.port);
    const [greeting] = (await once(socket, "data")) as [string];
    assert.match(greeting, /^INFO \{.*"auth_required":true/);
    const closed = once(socket, "close");
    await nats.kill9();
    await closed;
    await nats.restart();
  }
});

async function greeting(port: number): Promise<Record<string, unknown>> {
  const socket = await open(port);
  const [text] = (await once(socket, "data")) as [string];
  socket.destroy();
  return JSON.parse(text.slice("INFO ".length, text.indexOf("\r\n")));
}

test("nats: a changed password is in force without a restart, and after one", async (t) => {
  const nats = await withServer(t, "nats", { password: "old" });
  if (nats === undefined) return;
  const says = async (password: string): Promise<string> => {
    const socket = await open(nats.port);
    await once(socket, "data");
    socket.write(`CONNECT {"verbose":false,"user":"holdfast","pass":"${password}"}\r\nPING\r\n`);
    const [text] = (await once(socket, "data")) as [string];
    socket.destroy();
    return text;
  };
  assert.match(await says("old"), /^PONG/);
  const { pid } = nats;
  await nats.reload({ password: "new" });
  assert.equal(nats.pid, pid);
  for (let run = 0; run < 2; run++) {
    assert.match(await says("old"), /^-ERR 'Authorization Violation'/);
    assert.match(await says("new"), /^PONG/);
    assert.equal(nats.url, `nats://holdfast:new@127.0.0.1:${nats.port}`);
    await nats.restart();
  }
});

for (const server of ["nats", "nats-current"] as const) {
  test(`${server}: three members know each other; one says goodbye, is killed and comes back`, async (t) => {
    const members = await withNatsCluster(t, { server, durable: true });
    if (members === undefined) return;
    const ids = members.servers.map(({ port }) => `127.0.0.1:${port}`).sort();
    for (const { port } of members.servers)
      assert.deepEqual(((await greeting(port)).connect_urls as string[]).sort(), ids);
    const [first] = members.servers as [RunningServer];
    assert.equal(members.member(`127.0.0.1:${first.port}`), first);
    assert.throws(() => members.member("127.0.0.1:1"), RangeError);
    const socket = await open(first.port);
    let heard = "";
    socket.on("data", (text: string) => {
      heard += text;
    });
    socket.write('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n');
    await until("PONG", 10_000, () => heard.includes("PONG"));
    first.signal("SIGUSR2");
    await until("the lame duck's word", 5_000, () => heard.includes('"ldm":true'));
    await first.kill9();
    await first.restart();
    await members.healthy();
    assert.equal(((await greeting(first.port)).connect_urls as string[]).length, 3);
  });
}

test("a server that needs a tool this machine lacks is not required, and says so", async (t) => {
  const before = process.env.PATH;
  t.after(() => {
    process.env.PATH = before;
  });
  process.env.PATH = "/nonexistent";
  const { entryOf, acquire } = await import("../../../src/lab/index.ts");
  const entry = { ...entryOf("nats-current"), name: "nats-elsewhere" };
  await assert.rejects(acquire(entry, { get: "nothing" }), (error) => {
    assert.ok(error instanceof ServerUnavailable && !error.required);
    assert.match(error.message, /To get it: put go on PATH; or go install .*nats-server\/v2@v/);
    return true;
  });
});
