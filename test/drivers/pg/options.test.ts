/** pg's and pg-pool's options act by their names; wrong ones are named before anything is dialled. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { Client, Pool } from "../../../src/drivers/pg/index.ts";
import { testAuthority } from "../../../src/lab/index.ts";
import { withServer } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { rigFor } from "./rig.ts";

test("pg options: wrong ones are refused with key, value and what is allowed; no secret is shown", () => {
  const wrong: [object | string, RegExp][] = [
    [{ max: -1 }, /max/],
    [{ max: 2, min: 3 }, /min.*at most max, which is 2/],
    [{ conectionTimeoutMillis: 5 }, /conectionTimeoutMillis.*did you mean "connectionTimeoutMillis"/],
    [{ idleTimeoutMillis: "soon" }, /idleTimeoutMillis.*soon/],
    [{ port: 99_999 }, /port.*99999/],
    [{ password: 5 }, /password/],
    [{ ssl: true, sslnegotiation: "loudly" }, /sslnegotiation/],
    [{ Client: class {} }, /Client/],
    [{ resilience: { reset: "never" } }, /resilience\.reset.*never.*dirty/],
    [{ resilience: { target: "king" } }, /resilience\.target/],
    [{ resilience: { endpoints: [] } }, /resilience\.endpoints/],
    [{ resilience: { endpoints: ["a:b:c"] } }, /resilience\.endpoints\[0\]/],
    [{ resilience: { pool: { max: 5 } } }, /resilience\.pool\.max.*max/],
    [{ connectionString: "postgres://u:hush@host:port/db" }, /connectionString/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(
      () => new Pool(options as never),
      (error) => {
        assert.ok(isHoldfastError(error), String(error));
        assert.equal(error.code, "HF_OPTION");
        assert.match(error.message, message);
        assert.ok(!error.message.includes("hush"));
        return true;
      },
      JSON.stringify(options),
    );
  }
  assert.throws(() => new Client("postgres://u:hush@host:port/db"), { code: "HF_OPTION" });
  assert.throws(() => new Client(5 as never), { code: "HF_OPTION" });
  const client = new Client();
  assert.throws(() => client.query({ text: "SELECT 1", resilience: { effect: "reed" } } as never), {
    code: "HF_OPTION",
  });
  void client.resilience.close();
});

test("pg options: connectionString, application_name, timeouts of the server, options", async (t) => {
  const rig = await rigFor(t, { password: "p@ss/word" });
  if (rig === undefined) return;
  const url = new URL(rig.server.url);
  url.host = `${rig.proxy.host}:${rig.proxy.port}`;
  url.searchParams.set("application_name", "from the URL");
  const settings = async (client: Client) => {
    const { rows } = await client.query(
      `SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS statement,
        current_setting('lock_timeout') AS lock, current_setting('idle_in_transaction_session_timeout') AS idle,
        current_setting('my.own', true) AS own`,
    );
    return rows[0];
  };
  const more = {
    statement_timeout: 5_000,
    lock_timeout: 4_000,
    idle_in_transaction_session_timeout: 3_000,
    options: "-c my.own=mine",
  };
  const client = await rig.connected({ connectionString: url.href, ...more });
  const expected = { name: "from the URL", statement: "5s", lock: "4s", idle: "3s", own: "mine" };
  assert.deepEqual(await settings(client), expected);
  await rig.server.sql.killAll();
  assert.deepEqual(await settings(client), expected);
  await assert.rejects(client.query("SET statement_timeout = 50; SELECT pg_sleep(5)"), { code: "57014" });
});

test("pg options: a password as a function is asked before each dial; a wrong one is told at once [mariadb-redis 14]", async (t) => {
  const rig = await rigFor(t, { password: "first" });
  if (rig === undefined) return;
  let asked = 0;
  let password = "first";
  const client = await rig.connected({
    password: async () => {
      asked++;
      return password;
    },
  });
  assert.equal(asked, 1);
  password = "second";
  await rig.server.sql.changePassword("second");
  await rig.server.sql.killAll();
  assert.equal((await client.query("SELECT 1 AS n")).rowCount, 1);
  assert.equal(asked, 2);
  const began = performance.now();
  const pool = rig.pool({ password: "wrong-secret" });
  await assert.rejects(pool.query("SELECT 1"), (error) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.code, "HF_AUTH");
    assert.equal((error.cause as { code?: string }).code, "28P01");
    assert.ok(!JSON.stringify(error).includes("wrong-secret"));
    return true;
  });
  const elsewhere = rig.pool({ password: "second", database: "nowhere" });
  await assert.rejects(elsewhere.query("SELECT 1"), (error) => {
    assert.equal(((error as Error).cause as { code?: string }).code, "3D000");
    return true;
  });
  assert.ok(performance.now() - began < 5_000);
  await assert.rejects(
    rig.connected({ password: "wrong-secret" }),
    (error) => !String(error).includes("wrong-secret"),
  );
});

test("pg options: max, connectionTimeoutMillis and the counts in its error [mariadb-redis 8] [mariadb-redis 9]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 1, connectionTimeoutMillis: 1_000 });
  const client = await pool.connect();
  await assert.rejects(pool.connect(), (error) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.code, "HF_DEADLINE");
    assert.match(error.message, /1 .*in use|1 active|total 1|1 open/i);
    return true;
  });
  client.release();
  assert.equal((await pool.query("SELECT 1")).rowCount, 1);
});

test("pg options: min is kept warm, idleTimeoutMillis shrinks to it [mariadb-redis 1] [mariadb-redis 5]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const lazy = rig.pool();
  const pool = rig.pool({ max: 3, min: 1, idleTimeoutMillis: 150 });
  await until("the warm one", 5_000, () => pool.idleCount === 1);
  assert.equal(lazy.totalCount, 0);
  await Promise.all([1, 2, 3].map(() => pool.query("SELECT pg_sleep(0.05)")));
  assert.equal(pool.totalCount, 3);
  await until("the minimum", 5_000, () => pool.totalCount === 1);
});

test("pg options: maxUses and maxLifetimeSeconds replace a connection", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pid = async (pool: Pool) =>
    (await pool.query("SELECT pg_backend_pid() AS pid")).rows[0].pid as number;
  const pool = rig.pool({ max: 1, maxUses: 2 });
  const pids = [await pid(pool), await pid(pool), await pid(pool)];
  assert.equal(pids[0], pids[1]);
  assert.notEqual(pids[1], pids[2]);
  const client = await pool.connect();
  client.release();
  assert.notEqual(await pid(pool), pids[2]);
  const short = rig.pool({ max: 1, maxLifetimeSeconds: 0.2 });
  const first = await pid(short);
  await until("another connection", 5_000, async () => (await pid(short)) !== first);
});

test("pg options: onConnect and verify may refuse a connection; the caller hears why", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const refusing = rig.pool({
    onConnect: () => {
      throw new Error("not today");
    },
  });
  await assert.rejects(refusing.query("SELECT 1"), (error) =>
    /not today/.test(`${error} ${(error as Error).cause}`),
  );
  const verifying = rig.pool({ verify: (_client, done) => done(new Error("not this one")) });
  await assert.rejects(verifying.connect(), (error) =>
    /not this one/.test(`${error} ${(error as Error).cause}`),
  );
  const verified: unknown[] = [];
  const pool = rig.pool({
    verify: (client, done) => {
      verified.push(client);
      client.query("SELECT 1").then(() => done(), done);
    },
  });
  await pool.query("SELECT 1");
  await pool.query("SELECT 1");
  assert.equal(verified.length, 1);
});

test("pg options: ssl, with a certificate that is checked", async (t) => {
  const authority = await testAuthority();
  const server = await withServer(t, "postgres", { tls: { ...(await authority.leaf()), only: true } });
  if (server === undefined) return;
  const pool = new Pool({ connectionString: server.url, ssl: { ca: authority.cert } });
  const { rows } = await pool.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  assert.deepEqual(rows, [{ ssl: true }]);
  await server.sql.killAll();
  assert.equal((await pool.query("SELECT 1")).rowCount, 1);
  await pool.end();
  const plain = new Pool({ connectionString: server.url, connectionTimeoutMillis: 20_000 });
  await assert.rejects(plain.query("SELECT 1"), { code: "HF_AUTH" });
  await plain.end();
  const distrusting = new Client({
    connectionString: server.url,
    ssl: true,
    resilience: { limits: { maxAttempts: 1 } },
  });
  await assert.rejects(distrusting.connect());
  await distrusting.resilience.close();
});

test("pg options: allowExitOnIdle lets the process end [mariadb-redis 33]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const program = `
    const { Pool } = await import(${JSON.stringify(new URL("../../../src/drivers/pg/index.js", import.meta.url).href)});
    const pool = new Pool({ connectionString: ${JSON.stringify(rig.server.url)}, allowExitOnIdle: true });
    await pool.query("SELECT 1");
    console.log("idle");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  assert.deepEqual([code, said.trim()], [0, "idle"]);
});
