/** The ledger of `holdfast/nats` over rolling restarts of a cluster of three. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectBare } from "@nats-io/transport-node";
import { connect, type NatsConnection, type ResilientNatsConnection } from "../../../drivers/nats/index.ts";
import { type RestartKind, type RollingMember, runRolling } from "../../ledger/index.ts";
import { NatsCluster, type RunningServer } from "../../servers/index.ts";
import { until } from "../../servers/until.ts";
import type { ConformanceTarget, RollingReport, RollingTrial } from "../target.ts";
import { isNatsAnswer } from "./nats-answer.ts";
import { NatsWitnesses } from "./nats-witnesses.ts";

/**
 * What acknowledges a write: JetStream's PubAck of a stream on all three members, or, for a core publish, the PONG that
 * follows it. A PONG says that the server has read what came before; what a server that is killed has read and not
 * yet passed on goes with it. So core publishes are judged while members leave (lame duck), and JetStream's also while
 * they are stopped and killed.
 */
type Writes = "jetstream" | "core";

const kinds: Readonly<Record<Writes, readonly RestartKind[]>> = {
  jetstream: ["kill-9", "stop", "leave"],
  core: ["leave"],
};

const subject = "ledger";
/** An acknowledgement that was lost with a member is told as unknown after this. */
const ackTimeoutMs = 5_000;

/** By what acknowledges a write. Rejects with `ServerUnavailable` where nats-server can't be had. */
export const natsRolling: NonNullable<ConformanceTarget["rolling"]> = {
  jetstream: (options) => rolling("jetstream", options),
  core: (options) => rolling("core", options),
};

async function rolling(writes: Writes, options: RollingTrial): Promise<RollingReport> {
  const { rounds, perSecond, onRestarted } = options;
  const server = options.server === "nats-current" ? options.server : "nats";
  await using cluster = await NatsCluster.start({ server, durable: writes === "jetstream" });
  const nc = await connect({ servers: cluster.urls, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  try {
    const kind =
      writes === "jetstream" ? await throughJetStream(nc, cluster) : await throughCore(nc, cluster);
    const result = await runRolling({
      members: cluster.servers.map((member) => rollingMember(member, nc, kind)),
      healthy: () => cluster.healthy(),
      rounds,
      perSecond,
      kinds: kinds[writes],
      link: {
        ...kind,
        get ready() {
          return nc.resilience.snapshot().phase === "ready";
        },
        onReady: (changed) =>
          nc.resilience.on("state", ({ from, to }) => {
            if (from === "ready" || to === "ready") changed(to === "ready");
          }),
        isAnswer: isNatsAnswer,
      },
      ...(onRestarted && { onRestarted }),
    });
    await kind.end();
    return { ...result, server: `nats-server ${cluster.servers[0]?.version}` };
  } finally {
    await nc.close();
  }
}

interface Kind {
  write(id: number): Promise<unknown>;
  audit(): Promise<ReadonlyMap<number, number>>;
  /** We left a member; what it read is passed on before it goes. */
  left(member: RunningServer): Promise<void>;
  /** A member runs again. */
  started(member: RunningServer): Promise<void>;
  end(): Promise<void>;
}

function rollingMember(server: RunningServer, nc: ResilientNatsConnection, kind: Kind): RollingMember {
  return {
    async end(how) {
      if (how === "kill-9") return server.kill9();
      if (how === "leave") {
        server.signal("SIGUSR2");
        const here = `${server.host}:${server.port}`;
        await until("our leaving the lame duck", 10_000, () => {
          const { phase, endpoint } = nc.resilience.snapshot();
          return phase === "ready" && endpoint !== here;
        });
        await kind.left(server);
        return server.kill9(); // by itself it would stay for its grace period
      }
      return server.stop();
    },
    async start() {
      await server.start();
      await kind.started(server);
    },
  };
}

async function throughJetStream(nc: NatsConnection, cluster: NatsCluster): Promise<Kind> {
  await until("a replicated stream", 30_000, async () => {
    const manager = await jetstreamManager(nc);
    return manager.streams.add({ name: subject, subjects: [subject], num_replicas: cluster.servers.length });
  });
  const js = jetstream(nc);
  return {
    write: (id) => js.publish(subject, String(id), { timeout: ackTimeoutMs, retries: 1 }),
    audit: () => readStream(cluster),
    left: async () => {},
    started: async () => {},
    end: async () => {},
  };
}

/** Every message of the stream, read with the library itself. */
async function readStream(cluster: NatsCluster): Promise<ReadonlyMap<number, number>> {
  const nc = await connectBare({ servers: cluster.urls });
  try {
    const counts = new Map<number, number>();
    const js = jetstream(nc);
    const { state } = await (await js.jetstreamManager()).streams.info(subject);
    const consumer = await js.consumers.get(subject);
    for (let seen = 0; seen < state.messages; ) {
      const messages = await consumer.fetch({ max_messages: Math.min(5_000, state.messages - seen) });
      for await (const message of messages) {
        const id = Number(message.string());
        counts.set(id, (counts.get(id) ?? 0) + 1);
        seen++;
      }
    }
    return counts;
  } finally {
    await nc.close();
  }
}

/** A publish is acknowledged by the PONG after it; those of one turn share one. */
async function throughCore(nc: NatsConnection, cluster: NatsCluster): Promise<Kind> {
  const witnesses = await NatsWitnesses.start(cluster.servers, subject);
  let turn: Promise<void> | undefined;
  const confirmed = (): Promise<void> => {
    turn ??= Promise.resolve().then(() => {
      turn = undefined;
      return nc.flush();
    });
    return turn;
  };
  return {
    async write(id) {
      nc.publish(subject, String(id));
      await confirmed();
    },
    audit: () => witnesses.counts(),
    left: (member) => witnesses.heardAll(member),
    started: (member) => witnesses.attach(member),
    end: () => witnesses.close(),
  };
}
