/** The demo's NATS link: each write is one JetStream publish, which counts when its PubAck is here. */
import { faultProxy, type RunningServer, ServerUnavailable, startServer } from "../../lab/index.ts";
import type { DemoKind, DemoLink, DemoTerms } from "./link.ts";

/** A write applied twice is two messages under one subject. */
const stream = "holdfast-demo";
const subjectOf = (id: number): string => `${stream}.${id}`;

export const nats: DemoKind = {
  name: "nats",
  async start(terms) {
    const libraries = await loadLibraries();
    const server = await startServer("nats", { durable: true, ...terms.acquire });
    try {
      return await connect(libraries, server, terms);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  },
};

interface Libraries {
  readonly driver: typeof import("../../drivers/nats/index.ts");
  readonly js: typeof import("@nats-io/jetstream");
}

/** The client libraries are optional peers: only who uses the driver has them. */
async function loadLibraries(): Promise<Libraries> {
  try {
    const [driver, js] = await Promise.all([
      import("../../drivers/nats/index.ts"),
      import("@nats-io/jetstream"),
    ]);
    return { driver, js };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    const ways = ["npm install @nats-io/transport-node @nats-io/jetstream"];
    throw new ServerUnavailable("nats", "its client libraries are not installed", ways, error);
  }
}

async function connect(
  { driver, js }: Libraries,
  server: RunningServer,
  terms: DemoTerms,
): Promise<DemoLink> {
  const proxy = await faultProxy({ upstream: { host: server.host, port: server.port }, seed: terms.seed });
  const nc = await driver
    .connect({ servers: proxy.address, maxReconnectAttempts: -1, resilience: terms.resilience })
    .catch(async (error: unknown) => {
      await proxy.close();
      throw error;
    });
  const stop = async (): Promise<void> => {
    await nc.close();
    await proxy.close();
  };
  try {
    const { streams } = await js.jetstreamManager(nc);
    await streams.add({ name: stream, subjects: [`${stream}.*`] });
  } catch (error) {
    await stop();
    throw error;
  }
  const client = js.jetstream(nc);
  return {
    serverName: `NATS ${server.version} (${server.from === "PATH" ? "on PATH" : "in the cache"}), JetStream`,
    server,
    proxy,
    resilience: nc.resilience,
    write: (id) => client.publish(subjectOf(id), "", { timeout: terms.writeDeadlineMs, retries: 1 }),
    isAnswer: (error) => error instanceof js.JetStreamApiError || isNoResponders(error),
    async applied() {
      const direct = await driver.connect({ servers: server.url });
      try {
        const { streams } = await js.jetstreamManager(direct);
        const { state } = await streams.info(stream, { subjects_filter: ">" });
        const counts = Object.entries(state.subjects ?? {});
        return new Map(counts.map(([subject, times]) => [Number(subject.slice(stream.length + 1)), times]));
      } finally {
        await direct.close();
      }
    },
    async stop() {
      await stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** JetStream's word for "no responders" is a class it doesn't export: it starts a moment after the server. */
function isNoResponders(error: unknown): boolean {
  return error instanceof Error && error.name === "JetStreamNotEnabled";
}
