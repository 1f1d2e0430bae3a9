/** MariaDB and PostgreSQL from the harness: what a test may do to them, seen by bare clients. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import { type RunningServer, testAuthority } from "../../../src/lab/index.ts";
import { withServer } from "../../support/servers.ts";
import { until } from "../../support/until.ts";

interface Session {
  query(sql: string): Promise<Record<string, unknown>[]>;
  readonly id: number;
  /** Resolves once the connection is gone. */
  readonly ended: Promise<unknown>;
  close(): Promise<unknown>;
}

interface Options {
  readonly password?: string;
  readonly ca?: string;
}

const kinds = {
  mariadb: {
    async connect(server: RunningServer, { password, ca }: Options): Promise<Session> {
      const connection = await createConnection({
        uri: server.url.replace("mariadb:", "mysql:"),
        ...(password === undefined ? {} : { password }),
        ...(ca === undefined ? {} : { ssl: { ca } }),
      });
      // The driver tells of the end in one of several ways, depending on what ended first.
      const ended = new Promise((resolve) => {
        connection.on("error", resolve);
        (connection as unknown as { connection: { stream: NodeJS.EventEmitter } }).connection.stream.on(
          "close",
          resolve,
        );
      });
      return {
        query: async (sql) => (await connection.query(sql))[0] as Record<string, unknown>[],
        id: connection.threadId,
        ended,
        close: () => connection.end().catch(() => {}),
      };
    },
    sleep: "SELECT SLEEP(30) AS slept",
    whoami: "SELECT CONNECTION_ID() AS id",
    badPassword: { errno: 1045 },
    readOnly: { errno: 1290 },
    cipher: "SHOW STATUS LIKE 'Ssl_cipher'",
    plainRefused: { errno: 1045 },
  },
  postgres: {
    async connect(server: RunningServer, { password, ca }: Options): Promise<Session> {
      const client = new pg.Client({
        connectionString: server.url,
        ...(password === undefined ? {} : { password }),
        ...(ca === undefined ? {} : { ssl: { ca } }),
      });
      if (password !== undefined) client.password = password; // over the one in the URL
      const ended = new Promise<void>((resolve) => client.on("end", () => resolve()));
      client.on("error", () => {});
      await client.connect();
      const query = async (sql: string) => (await client.query(sql)).rows as Record<string, unknown>[];
      const id = (client as unknown as { processID: number }).processID;
      return { query, id, ended, close: () => client.end().catch(() => {}) };
    },
    sleep: "SELECT pg_sleep(30)",
    whoami: "SELECT pg_backend_pid() AS id",
    badPassword: { code: "28P01" },
    readOnly: { code: "25006" },
    cipher: "SELECT cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    plainRefused: { code: "28000" },
  },
} as const;

for (const name of ["mariadb", "postgres"] as const) {
  const kind = kinds[name];

  test(`${name}: data survive kill -9 and a restart on the same port; sessions don't`, async (t) => {
    const server = await withServer(t, name, { password: "o'clock" });
    if (server === undefined) return;
    assert.match(server.version, /^\d+\.\d+/);
    const first = await kind.connect(server, {});
    await first.query("CREATE TABLE kept (n INT)");
    await first.query("INSERT INTO kept VALUES (1)");
    const port = server.port;
    await server.kill9();
    await first.ended;
    assert.equal(server.running, false);
    await server.restart();
    assert.equal(server.port, port);
    const second = await kind.connect(server, {});
    assert.deepEqual(await second.query("SELECT n FROM kept"), [{ n: 1 }]);
    // A stop does not wait for clients, and a new start finds everything.
    await server.stop();
    await second.ended;
    await server.start();
    assert.deepEqual(await server.sql.sessions(), []);
  });

  test(`${name}: the password can be changed while it runs, and stays changed`, async (t) => {
    const server = await withServer(t, name, { password: "old" });
    if (server === undefined) return;
    await assert.rejects(kind.connect(server, { password: "new" }), kind.badPassword);
    const open = await kind.connect(server, {});
    await server.sql.changePassword("new'");
    await open.query(kind.whoami);
    await assert.rejects(kind.connect(server, {}), kind.badPassword);
    await server.restart();
    await open.ended;
    await assert.rejects(kind.connect(server, {}), kind.badPassword);
    const again = await kind.connect(server, { password: "new'" });
    await again.close();
  });

  test(`${name}: sessions are seen and killed from the server's side`, async (t) => {
    const server = await withServer(t, name);
    if (server === undefined) return;
    const [idle, busy] = [await kind.connect(server, {}), await kind.connect(server, {})];
    const running = assert.rejects(busy.query(kind.sleep));
    const busyId = await until("the sleeper", 5_000, async () => {
      return (await server.sql.sessions()).find(({ doing }) => doing === kind.sleep)?.id;
    });
    await server.sql.kill(busyId);
    await running;
    await busy.ended;
    assert.deepEqual(
      (await server.sql.sessions()).map(({ id }) => id),
      [idle.id],
    );
    assert.equal(await server.sql.killAll(), 1);
    await idle.ended;
    await until("an empty list", 5_000, async () => (await server.sql.sessions()).length === 0);
    assert.equal(await server.sql.killAll(), 0);
  });

  test(`${name}: read-only, and back`, async (t) => {
    const server = await withServer(t, name);
    if (server === undefined) return;
    const one = await kind.connect(server, {});
    await one.query("CREATE TABLE notes (n INT)");
    await server.sql.setReadOnly(true);
    const two = await kind.connect(server, {});
    await assert.rejects(two.query("INSERT INTO notes VALUES (1)"), kind.readOnly);
    await server.sql.setReadOnly(false);
    const three = await kind.connect(server, {});
    await three.query("INSERT INTO notes VALUES (2)");
    assert.deepEqual(await server.sql.query(`SELECT 1 AS a, NULL AS b, 'é' AS c`), [
      { a: "1", b: null, c: "é" },
    ]);
    await assert.rejects(server.sql.query("SELECT nothing FROM nowhere"), /nowhere/);
    for (const each of [one, two, three]) await each.close();
  });

  test(`${name}: frozen, it answers nobody; thawed, it goes on where it was`, async (t) => {
    const server = await withServer(t, name);
    if (server === undefined) return;
    const client = await kind.connect(server, {});
    await server.pause();
    let answered = false;
    const answer = client.query("SELECT 1 AS one").then((rows) => {
      answered = true;
      return rows;
    });
    // The statement has reached the kernel of a process that can't read it: its socket buffer shows it there.
    await until("the statement to lie at the server", 5_000, () => waitingBytes(server.port));
    assert.equal(answered, false);
    await server.resume();
    assert.deepEqual(await answer, [{ one: 1 }]);
    await server.pause();
    const lost = assert.rejects(client.query("SELECT 2"));
    await server.kill9();
    await lost;
  });

  test(`${name}: TLS with a certificate of the lab's authority; plain refused where it must be`, async (t) => {
    const authority = await testAuthority();
    const server = await withServer(t, name, { tls: { ...(await authority.leaf()), only: true } });
    if (server === undefined) return;
    await assert.rejects(kind.connect(server, {}), kind.plainRefused);
    const client = await kind.connect(server, { ca: authority.cert });
    assert.match(JSON.stringify(await client.query(kind.cipher)), /TLS_|GCM/);
    await client.close();
  });

  test(`${name}: settings of its own`, async (t) => {
    const server = await withServer(t, name, { config: { max_connections: 17 } });
    if (server === undefined) return;
    const [row] = await server.sql.query(
      name === "mariadb" ? "SELECT @@max_connections AS n" : "SELECT current_setting('max_connections') AS n",
    );
    assert.deepEqual(row, { n: "17" });
  });
}

/** True when bytes lie unread in the server's side of a connection, by the kernel's table. */
async function waitingBytes(port: number): Promise<boolean> {
  const { readFile } = await import("node:fs/promises");
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = (await readFile("/proc/net/tcp", "utf8")).split("\n").slice(1);
  return rows.some((row) => {
    const [, address, , state, queues] = row.trim().split(/\s+/);
    return (
      address?.endsWith(local) && state === "01" && Number.parseInt(queues?.split(":")[1] ?? "0", 16) > 0
    );
  });
}
