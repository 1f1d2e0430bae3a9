/** The suite's adapter for `holdfast/nats`: writes are JetStream publishes, judged by their PubAck. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectBare, errors } from "@nats-io/transport-node";
import { fromNatsOptions, HoldfastNatsConnection, type NatsConnection } from "../../../drivers/nats/index.ts";
import { startServer } from "../../servers/index.ts";
import type { ConformanceTarget, OpenOptions, TargetClient, TargetServer } from "../target.ts";

/** The stream whose subjects are the ids: one that was applied twice holds two messages. */
const stream = "conformance";
const subjectOf = (id: number): string => `conformance.${id}`;

export const natsTarget: ConformanceTarget = {
  driver: "nats",
  lacks: { credentials: "the harness can't change the password of a running nats-server" },
  proves: ["N", "nats"],
  startServer: startNats,
  open: openClient,
};

async function startNats(): Promise<TargetServer> {
  const server = await startServer("nats", { durable: true });
  /** The library itself: it must not be our own driver that says what the server has. */
  const direct = async <T>(ask: (nc: NatsConnection) => Promise<T>): Promise<T> => {
    const nc = await connectBare({ servers: server.url, reconnect: false });
    try {
      return await ask(nc);
    } finally {
      await nc.close();
    }
  };
  await direct(async (nc) => {
    const manager = await jetstreamManager(nc);
    await manager.streams.add({ name: stream, subjects: [`${stream}.*`] });
  });
  return {
    host: server.host,
    port: server.port,
    description: `nats-server ${server.version}, JetStream on disk`,
    get running() {
      return server.running;
    },
    connectionCount: () => server.connectionCount(),
    audit: () =>
      direct(async (nc) => {
        const manager = await jetstreamManager(nc);
        const { state } = await manager.streams.info(stream, { subjects_filter: ">" });
        return new Map(
          Object.entries(state.subjects ?? {}).map(([subject, count]) => [
            Number(subject.slice(stream.length + 1)),
            count,
          ]),
        );
      }),
    kill9: () => server.kill9(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function openClient({ endpoints, resilience, callDeadlineMs }: OpenOptions): TargetClient {
  const timeout = callDeadlineMs ?? 60_000;
  const client = new HoldfastNatsConnection(
    fromNatsOptions({
      servers: endpoints.map(({ host, port }) => `${host}:${port}`),
      noRandomize: true,
      resilience,
    }),
  );
  const nc = client as unknown as NatsConnection;
  const js = jetstream(nc);
  return {
    resilience: client.resilience,
    connect: (signal) => client.start(signal),
    write: (id) => js.publish(subjectOf(id), "", { timeout, retries: 0 }),
    read: () => client.request("$JS.API.INFO", "", { timeout, effect: "read" }),
    close: () => nc.close(),
    isAnswer: (error) => error instanceof errors.NoRespondersError || error instanceof errors.RequestError,
    async holdSession() {
      let heard = 0;
      nc.subscribe("conformance-session", { callback: () => void heard++ });
      await nc.flush();
      return async () => {
        const before = heard;
        nc.publish("conformance-session");
        await nc.flush();
        return heard > before;
      };
    },
  };
}
