/** The demo's PostgreSQL link: each write is one row, counted up when it comes a second time. */
import { faultProxy, type RunningServer, ServerUnavailable, startServer } from "../../lab/index.ts";
import type { DemoKind, DemoLink, DemoTerms } from "./link.ts";

const book = "holdfast_demo";

export const pg: DemoKind = {
  name: "pg",
  async start(terms) {
    const library = await loadDriver();
    const server = await startServer("postgres", terms.acquire);
    try {
      return await connect(library, server, terms);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  },
};

type Library = typeof import("../../drivers/pg/index.ts");

/** The client library is an optional peer: only who uses the driver has it. */
async function loadDriver(): Promise<Library> {
  try {
    return await import("../../drivers/pg/index.ts");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new ServerUnavailable("postgres", "its client library is not installed", ["npm install pg"], error);
  }
}

async function connect(library: Library, server: RunningServer, terms: DemoTerms): Promise<DemoLink> {
  const { Client, DatabaseError } = library;
  const proxy = await faultProxy({ upstream: { host: server.host, port: server.port }, seed: terms.seed });
  const url = new URL(server.url);
  url.host = proxy.address;
  const client = new Client({
    connectionString: url.href,
    query_timeout: terms.writeDeadlineMs,
    resilience: terms.resilience,
  });
  try {
    await client.connect();
    await client.query(`CREATE TABLE ${book} (id int PRIMARY KEY, times int NOT NULL)`);
  } catch (error) {
    await client.resilience.close();
    await proxy.close();
    throw error;
  }
  const write = `INSERT INTO ${book} VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET times = ${book}.times + 1`;
  return {
    serverName: `PostgreSQL ${server.version} (${server.from === "PATH" ? "on PATH" : "in the cache"})`,
    server,
    proxy,
    resilience: client.resilience,
    write: (id) => client.query(write, [id]),
    isAnswer: (error) => error instanceof DatabaseError,
    async applied() {
      const rows = await server.sql.query(`SELECT id, times FROM ${book}`);
      return new Map(rows.map(({ id, times }) => [Number(id), Number(times)]));
    },
    async stop() {
      await client.resilience.close();
      await proxy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
