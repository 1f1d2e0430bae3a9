/** The suite's adapter for `holdfast/nats`: writes are JetStream publishes, judged by their PubAck. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectBare, usernamePasswordAuthenticator } from "@nats-io/transport-node";
import { fromNatsOptions, HoldfastNatsConnection, type NatsConnection } from "../../../drivers/nats/index.ts";
import { type RunningServer, startServer } from "../../servers/index.ts";
import type { ConformanceTarget, OpenOptions, TargetClient, TargetServer } from "../target.ts";
import { isNatsAnswer } from "./nats-answer.ts";
import { natsRolling } from "./nats-rolling.ts";

/** The stream whose subjects are the ids: one that was applied twice holds two messages. */
const stream = "conformance";
const subjectOf = (id: number): string => `conformance.${id}`;

const user = "holdfast";
const firstPassword = "conformance-secret-1";
const wrongPassword = "conformance-wrong-secret";

/** A run of its own: servers and clients share the password in force. */
export function natsTarget(): ConformanceTarget {
  const secret: Secret = { now: firstPassword, rotations: 0, servers: [] };
  return {
    driver: "nats",
    lacks: {},
    proves: ["N", "nats"],
    startServer: () => startNats(secret),
    open: (options) => openClient(options, secret),
    rolling: natsRolling,
  };
}

interface Secret {
  now: string;
  rotations: number;
  readonly servers: RunningServer[];
}

async function startNats(secret: Secret): Promise<TargetServer> {
  const server = await startServer("nats", { durable: true, password: secret.now });
  secret.servers.push(server);
  /** The library itself: it must not be our own driver that says what the server has. */
  const direct = async <T>(ask: (nc: NatsConnection) => Promise<T>): Promise<T> => {
    const { host, port, password: pass = "" } = server;
    const nc = await connectBare({ servers: `${host}:${port}`, user, pass, reconnect: false });
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
    async rotateCredentials() {
      secret.now = `conformance-secret-${++secret.rotations + 1}`;
      for (const each of secret.servers) if (each.running) await each.reload({ password: secret.now });
    },
    kill9: () => server.kill9(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function openClient(options: OpenOptions, secret: Secret): TargetClient {
  const { endpoints, resilience, callDeadlineMs, wrongCredentials } = options;
  const timeout = callDeadlineMs ?? 60_000;
  const client = new HoldfastNatsConnection(
    fromNatsOptions({
      servers: endpoints.map(({ host, port }) => `${host}:${port}`),
      authenticator: usernamePasswordAuthenticator(user, () =>
        wrongCredentials ? wrongPassword : secret.now,
      ),
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
    isAnswer: isNatsAnswer,
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
