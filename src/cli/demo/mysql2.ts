/** The demo's MariaDB link: each write is one row, counted up when it comes a second time. */
import { faultProxy, type RunningServer, ServerUnavailable, startServer } from "../../lab/index.ts";
import type { DemoKind, DemoLink, DemoTerms } from "./link.ts";

const book = "holdfast_demo";

export const mysql2: DemoKind = {
  name: "mysql2",
  async start(terms) {
    const library = await loadDriver();
    const server = await startServer("mariadb", terms.acquire);
    try {
      return await connect(library, server, terms);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  },
};

type Library = typeof import("../../drivers/mysql2/index.ts");

/** The client library is an optional peer: only who uses the driver has it. */
async function loadDriver(): Promise<Library> {
  try {
    return await import("../../drivers/mysql2/index.ts");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new ServerUnavailable(
      "mariadb",
      "its client library is not installed",
      ["npm install mysql2"],
      error,
    );
  }
}

async function connect(library: Library, server: RunningServer, terms: DemoTerms): Promise<DemoLink> {
  const proxy = await faultProxy({ upstream: { host: server.host, port: server.port }, seed: terms.seed });
  const url = new URL(server.url);
  await server.sql.query(`CREATE TABLE ${book} (id INT PRIMARY KEY, times INT NOT NULL) ENGINE=InnoDB`);
  const connection = library.createConnection({
    host: proxy.host,
    port: proxy.port,
    user: url.username,
    database: url.pathname.slice(1),
    resilience: { ...terms.resilience, callDeadlineMs: terms.writeDeadlineMs },
  });
  const client = connection.promise();
  try {
    await client.connect();
  } catch (error) {
    await connection.resilience.close();
    await proxy.close();
    throw error;
  }
  const write = `INSERT INTO ${book} VALUES (?, 1) ON DUPLICATE KEY UPDATE times = times + 1`;
  return {
    serverName: `MariaDB ${server.version} (${server.from === "PATH" ? "on PATH" : "in the cache"})`,
    server,
    proxy,
    resilience: connection.resilience,
    write: (id) => client.query(write, [id]),
    isAnswer: (error) => typeof (error as { sqlState?: unknown } | null)?.sqlState === "string",
    async applied() {
      const rows = await server.sql.query(`SELECT id, times FROM ${book}`);
      return new Map(rows.map(({ id, times }) => [Number(id), Number(times)]));
    },
    async stop() {
      await connection.resilience.close();
      await proxy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
