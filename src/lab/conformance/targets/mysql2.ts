/** The suite's adapter for `holdfast/mysql2`, against MariaDB or MySQL, whose commits are on disk. */
import { createConnection as createBareConnection } from "mysql2/promise";
import { createConnection } from "../../../drivers/mysql2/index.ts";
import { type RunningServer, startServer } from "../../servers/index.ts";
import type { ConformanceTarget, OpenOptions, TargetClient, TargetServer } from "../target.ts";

/** A write applied twice has the count 2. */
const book = "book";
const user = "holdfast";
const database = "test";
const firstPassword = "conformance-secret-1";
const wrongPassword = "conformance-wrong-secret";

interface Secret {
  now: string;
  rotations: number;
  /** Every server of the run: clients have one password for all. */
  readonly servers: Set<RunningServer>;
}

/** A run of its own: servers and clients share the password in force. */
export function mysql2Target(server: "mariadb" | "mysql" = "mariadb"): ConformanceTarget {
  const secret = { now: firstPassword, rotations: 0, servers: new Set<RunningServer>() };
  return {
    driver: "mysql2",
    lacks: {},
    writesPerSecond: 50,
    proves: ["M", "mariadb-redis"],
    startServer: () => startSql(server, secret),
    withServer: (name) => (name === "mariadb" || name === "mysql" ? mysql2Target(name) : undefined),
    open: (options) => openClient(options, secret),
  };
}

async function startSql(name: "mariadb" | "mysql", secret: Secret): Promise<TargetServer> {
  const server = await startServer(name, { password: firstPassword });
  await server.sql.query(`CREATE TABLE ${book} (id INT PRIMARY KEY, count INT NOT NULL) ENGINE=InnoDB`);
  secret.servers.add(server);
  if (secret.now !== firstPassword) await server.sql.changePassword(secret.now);
  return {
    host: server.host,
    port: server.port,
    description: `${name === "mysql" ? "MySQL" : "MariaDB"} ${server.version}, innodb_flush_log_at_trx_commit=1`,
    get running() {
      return server.running;
    },
    connectionCount: () => server.connectionCount(),
    async audit() {
      // The library itself: it must not be our own driver that says what the server has.
      const { host, port } = server;
      const bare = await createBareConnection({ host, port, user, database, password: secret.now });
      const gone = new Promise<void>((resolve) => bare.once("end", () => resolve()));
      try {
        const [rows] = await bare.query(`SELECT id, count FROM ${book}`);
        return new Map((rows as { id: number; count: number }[]).map(({ id, count }) => [id, count]));
      } finally {
        await bare.end();
        await gone;
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
  const connection = createConnection({
    user,
    database,
    resilience: {
      ...resilience,
      endpoints,
      autoConnect: false,
      credentials: () => ({ password: wrongCredentials === true ? wrongPassword : secret.now }),
      ...(callDeadlineMs !== undefined && { callDeadlineMs }),
    },
  });
  const client = connection.promise();
  const { resilience: handle } = connection;
  return {
    resilience: handle,
    connect(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      const connecting = client.connect();
      if (signal === undefined) return connecting;
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => {
          connection.destroy();
          reject(signal.reason);
        });
        connecting.then(resolve, reject);
      });
    },
    write: (id) =>
      client.query(`INSERT INTO ${book} VALUES (?, 1) ON DUPLICATE KEY UPDATE count = count + 1`, [id]),
    read: () => client.query(`SELECT count FROM ${book} WHERE id = 0`),
    close: () => handle.close(),
    isAnswer: (error) => typeof (error as { sqlState?: unknown } | null)?.sqlState === "string",
    async holdSession() {
      await client.query("USE test2");
      await client.query("SET NAMES latin1, time_zone = '+05:00', sql_mode = 'ANSI', lock_wait_timeout = 77");
      await client.query("SET autocommit = 0");
      const look =
        "SELECT DATABASE() AS d, @@character_set_client AS c, @@time_zone AS z, @@sql_mode AS m, @@lock_wait_timeout AS w, @@autocommit AS a";
      const held = JSON.stringify((await client.query(look))[0]);
      return async () => JSON.stringify((await client.query(look))[0]) === held;
    },
  };
}
