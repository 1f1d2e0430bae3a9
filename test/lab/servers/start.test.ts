import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { test } from "node:test";
import { type ServerName, type StartOptions, serverNames, startServer } from "../../../src/lab/index.ts";
import { freePort } from "../../../src/lab/servers/port.ts";
import { countInTable } from "../../../src/lab/servers/sockets.ts";
import { withRedis } from "../../support/servers.ts";

test("an unknown server or setting is refused before anything is fetched", async () => {
  await assert.rejects(startServer("rediss" as ServerName), {
    code: "HF_OPTION",
    message:
      /unknown server "rediss"; known: redis, nats, nats-current, mariadb, mysql, postgres; did you mean "redis"\?/,
  });
  await assert.rejects(startServer("nats", { replicaOf: { host: "127.0.0.1", port: 1 } }), {
    code: "HF_OPTION",
    message: /unknown option "replicaOf" \(known: config/,
  });
  await assert.rejects(
    startServer("redis", { pasword: "x" } as StartOptions),
    /unknown option "pasword"; did you mean "password"\?/,
  );
  assert.deepEqual(serverNames, ["redis", "nats", "nats-current", "mariadb", "mysql", "postgres"]);
});

test("a port that is taken is seen: another one is chosen, or the error says so", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  for (let i = 0; i < 20; i++) assert.notEqual(await freePort(), port);
  if ((await withRedis(t)) === undefined) return;
  await assert.rejects(startServer("redis", { config: { port } }), /[Aa]ddress already in use/);
});

test("sockets are counted by local port and state", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue",
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000", // the listener
    "   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000",
    "   2: 0100007F:1F90 0100007F:C002 08 00000000:00000000",
    "   3: 0100007F:1F90 0100007F:C003 06 00000000:00000000", // TIME_WAIT: nobody holds it
    "   4: 0100007F:C001 0100007F:1F90 01 00000000:00000000", // the client's side
  ].join("\n");
  assert.equal(countInTable(table, 8080), 2);
  assert.equal(countInTable(table, 0xc001), 1);
  assert.equal(countInTable(table, 80), 0);
});
