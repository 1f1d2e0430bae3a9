/** The suite's adapter for `holdfast/pg`, against PostgreSQL, whose commits are on disk. */
import bare from "pg";
import { Client } from "../../../drivers/pg/index.ts";
import { type RunningServer, SQL_DATABASE, SQL_USER, startServer } from "../../servers/index.ts";
import { until } from "../../servers/until.ts";
import type { ConformanceTarget, OpenOptions, TargetClient, TargetServer } from "../target.ts";

/** A write applied twice has the count 2. */
const book = "book";
const firstPassword = "conformance-secret-1";
const wrongPassword = "conformance-wrong-secret";

interface Secret {
  now: string;
  rotations: number;
  /** Every server of the run: clients have one password for all. */
  readonly servers: Set<RunningServer>;
}

/** A run of its own: servers and clients share the password in force. */
export function pgTarget(): ConformanceTarget {
  const secret = { now: firstPassword, rotations: 0, servers: new Set<RunningServer>() };
  return {
    driver: "pg",
    lacks: {},
    writesPerSecond: 50,
    proves: ["mariadb-redis"],
    startServer: () => startPostgres(secret),
    open: (options) => openClient(options, secret),
  };
}

async function startPostgres(secret: Secret): Promise<TargetServer> {
  const server = await startServer("postgres", { password: firstPassword });
  await server.sql.query(
    `CREATE TABLE ${book} (id int PRIMARY KEY, count int NOT NULL)`,
    `ALTER TABLE ${book} OWNER TO ${SQL_USER}`,
  );
  secret.servers.add(server);
  if (secret.now !== firstPassword) await server.sql.changePassword(secret.now);
  return {
    host: server.host,
    port: server.port,
    description: `PostgreSQL ${server.version}, synchronous_commit=on, fsync=on`,
    get running() {
      return server.running;
    },
    connectionCount: () => server.connectionCount(),
    async audit() {
      // The library itself: it must not be our own driver that says what the server has.
      const { host, port } = server;
      const client = new bare.Client({
        host,
        port,
        user: SQL_USER,
        database: SQL_DATABASE,
        password: secret.now,
      });
      await client.connect();
      try {
        const { rows } = await client.query<{ id: number; count: number }>(`SELECT id, count FROM ${book}`);
        return new Map(rows.map(({ id, count }) => [id, count]));
      } finally {
        await client.end();
      }
    },
    async rotateCredentials() {
      secret.now = `conformance-secret-${++secret.rotations + 1}`;
      for (const one of secret.servers) if (one.running) await one.sql.changePassword(secret.now);
      await server.sql.killAll();
    },
    kill9: () => server.kill9(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    [Symbol.asyncDispose]() {
      secret.servers.delete(server);
      return server[Symbol.asyncDispose]();
    },
  };
}

function openClient(options: OpenOptions, secret: Secret): TargetClient {
  const { endpoints, resilience, callDeadlineMs, wrongCredentials } = options;
  const client = new Client({
    user: SQL_USER,
    database: SQL_DATABASE,
    password: () => (wrongCredentials === true ? wrongPassword : secret.now),
    resilience: { ...resilience, endpoints, ...(callDeadlineMs !== undefined && { callDeadlineMs }) },
  });
  const { resilience: handle } = client;
  return {
    resilience: handle,
    connect(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      const connecting = client.connect();
      if (signal === undefined) return connecting;
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => {
          void handle.close();
          reject(signal.reason);
        });
        connecting.then(resolve, reject);
      });
    },
    write: (id) =>
      client.query(
        `INSERT INTO ${book} VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET count = ${book}.count + 1`,
        [id],
      ),
    read: () => client.query(`SELECT count FROM ${book} WHERE id = 0`),
    close: () => handle.close(),
    isAnswer: (error) => error instanceof bare.DatabaseError,
    async holdSession() {
      let heard = 0;
      client.on("notification", () => heard++);
      await client.query("SET TIME ZONE 'Asia/Tokyo'");
      await client.query("SELECT set_config('my.own', 'mine', false)");
      await client.query("PREPARE ten AS SELECT 10 AS n");
      await client.query("LISTEN conformance");
      return async () => {
        const before = heard;
        await client.query("NOTIFY conformance");
        await until("the notification", 2_000, () => heard > before);
        const { rows } = await client.query(
          "SELECT current_setting('timezone') AS zone, current_setting('my.own') AS own",
        );
        const ten = await client.query("EXECUTE ten");
        return rows[0].zone === "Asia/Tokyo" && rows[0].own === "mine" && ten.rows[0].n === 10;
      };
    },
  };
}
