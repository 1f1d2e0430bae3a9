/** The demo's Redis link: each write is one HINCRBY, which a client that repeats it applies twice. */
import { faultProxy, type RunningServer, ServerUnavailable, startServer } from "../../lab/index.ts";
import type { DemoKind, DemoLink, DemoTerms } from "./link.ts";

const key = "holdfast:demo";

export const redis: DemoKind = {
  name: "redis",
  async start(terms) {
    const library = await loadDriver();
    const server = await startServer("redis", { durable: true, ...terms.acquire });
    try {
      return await connect(library, server, terms);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  },
};

type Library = typeof import("../../drivers/redis/index.ts");

/** The client library is an optional peer: only who uses the driver has it. */
async function loadDriver(): Promise<Library> {
  try {
    return await import("../../drivers/redis/index.ts");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new ServerUnavailable("redis", "its client library is not installed", ["npm install redis"], error);
  }
}

async function connect(library: Library, server: RunningServer, terms: DemoTerms): Promise<DemoLink> {
  const { createClient, ErrorReply } = library;
  const proxy = await faultProxy({ upstream: { host: server.host, port: server.port }, seed: terms.seed });
  const client = createClient({
    url: `redis://${proxy.address}`,
    commandOptions: { timeout: terms.writeDeadlineMs },
    resilience: terms.resilience,
  });
  client.on("error", () => {}); // told by the link's own events
  try {
    await client.connect();
  } catch (error) {
    await proxy.close();
    throw error;
  }
  return {
    serverName: `Redis ${server.version} (${server.from === "PATH" ? "on PATH" : "in the cache"})`,
    server,
    proxy,
    resilience: client.resilience,
    write: (id) => client.hIncrBy(key, String(id), 1),
    isAnswer: (error) => error instanceof ErrorReply,
    async applied() {
      await using direct = createClient({ url: server.url });
      await direct.connect();
      const counts = await direct.hGetAll(key);
      return new Map(Object.entries(counts).map(([id, times]) => [Number(id), Number(times)]));
    },
    async stop() {
      await client.resilience.close();
      await proxy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
