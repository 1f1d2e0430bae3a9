/** Several redis-servers on loopback that form one cluster: masters that share the slots, and replicas if asked for. */
import { reasonOf } from "../../call/index.ts";
import { ask } from "./ask.ts";
import { freePort } from "./port.ts";
import { command } from "./redis.ts";
import type { RunningServer } from "./server.ts";
import { type StartOptions, startServer } from "./start.ts";
import { until } from "./until.ts";

export interface RedisClusterOptions {
  /** Servers that own slots, evenly. Default 3, which is also the least that can elect. */
  readonly masters?: number;
  /** Replicas of each master. Default 0. */
  readonly replicas?: number;
  readonly durable?: boolean;
  /** A server that is silent for so long counts as failed. Default 1,000. */
  readonly nodeTimeoutMs?: number;
  /** Further settings of each server. */
  readonly config?: StartOptions["config"];
  readonly get?: StartOptions["get"];
}

const SLOTS = 16_384;
/** What QUIT is answered with. */
const GOODBYE = "+OK\r\n";
/** How long the servers may take to agree. */
const HEALTHY_MS = 60_000;

/** A running cluster. Disposing it kills every server. */
export class RedisCluster implements AsyncDisposable {
  /** The masters, in the order of their slots; then the replicas. */
  readonly servers: readonly RunningServer[];

  private constructor(servers: readonly RunningServer[]) {
    this.servers = servers;
  }

  /** Starts them all; resolves when every slot is served and every server knows all others. */
  static async start(options: RedisClusterOptions = {}): Promise<RedisCluster> {
    const { masters = 3, replicas = 0, durable = false, nodeTimeoutMs = 1_000, config, get } = options;
    const common: StartOptions = { durable, ...(get !== undefined && { get }) };
    const settings = { "cluster-enabled": "yes", "cluster-node-timeout": nodeTimeoutMs, ...config };
    const members = Array.from({ length: masters * (1 + replicas) }, () => startMember(common, settings));
    const starts = await Promise.allSettled(members);
    const started = starts.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const cluster = new RedisCluster(started.map(({ server }) => server));
    const failed = starts.find((each) => each.status === "rejected");
    try {
      if (failed !== undefined) throw failed.reason;
      await cluster.#form(
        masters,
        started.map(({ bus }) => bus),
      );
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What `rootNodes` takes. */
  get rootNodes(): { readonly url: string }[] {
    return this.servers.map(({ url }) => ({ url }));
  }

  /** The name a server has in its cluster. */
  async idOf(server: RunningServer): Promise<string> {
    return (await tell(server, "CLUSTER", "MYID")).split("\r\n")[1] as string;
  }

  /** One command to one server, answered with the reply as it is on the wire. Throws what the server refuses. */
  tell(server: RunningServer, ...words: readonly string[]): Promise<string> {
    return tell(server, ...words);
  }

  /** Resolves when every running server says that all is well and sees the same servers as the others. */
  async healthy(): Promise<void> {
    for (const server of this.servers) {
      if (!server.running) continue;
      await until(`health of redis ${server.port}`, HEALTHY_MS, async () => {
        const info = await tell(server, "CLUSTER", "INFO");
        const fine = info.includes("cluster_state:ok");
        return fine && info.includes(`cluster_known_nodes:${this.servers.length}\r`);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }

  async #form(masters: number, buses: readonly number[]): Promise<void> {
    const owners = this.servers.slice(0, masters);
    const edge = (i: number): number => Math.ceil((i * SLOTS) / masters);
    for (const [i, server] of owners.entries()) {
      await tell(server, "CLUSTER", "ADDSLOTSRANGE", String(edge(i)), String(edge(i + 1) - 1));
      await tell(server, "CLUSTER", "SET-CONFIG-EPOCH", String(i + 1));
    }
    const [first] = owners as [RunningServer];
    for (const [i, { host, port }] of this.servers.entries()) {
      if (i > 0) await tell(first, "CLUSTER", "MEET", host, String(port), String(buses[i]));
    }
    await this.healthy();
    const replicas = this.servers.slice(masters);
    for (const [i, replica] of replicas.entries()) {
      const id = await this.idOf(owners[i % masters] as RunningServer);
      await tell(replica, "CLUSTER", "REPLICATE", id);
      await until(`redis ${replica.port} following`, HEALTHY_MS, async () =>
        (await tell(replica, "INFO", "replication")).includes("master_link_status:up"),
      );
    }
    for (const server of this.servers) {
      await until(`redis ${server.port} knowing the replicas`, HEALTHY_MS, async () => {
        const nodes = await tell(server, "CLUSTER", "NODES");
        return nodes.split(/[ ,]slave /).length === replicas.length + 1;
      });
    }
  }
}

/** Between our look for a free port and the server's use of it another program may take it. */
const PORT_TRIES = 5;

async function startMember(
  common: StartOptions,
  settings: NonNullable<StartOptions["config"]>,
): Promise<{ readonly server: RunningServer; readonly bus: number }> {
  for (let left = PORT_TRIES; ; left--) {
    const bus = await freePort();
    try {
      const server = await startServer("redis", { ...common, config: { ...settings, "cluster-port": bus } });
      return { server, bus };
    } catch (error) {
      if (left <= 1 || !/address already in use/i.test(reasonOf(error))) throw error;
    }
  }
}

async function tell({ host, port }: RunningServer, ...words: readonly string[]): Promise<string> {
  const answer = await ask(host, port, command(...words) + command("QUIT"), () => false);
  if (answer.startsWith("-")) throw new Error(`${words.join(" ")}: ${answer.split("\r\n")[0]}`);
  return answer.slice(0, -GOODBYE.length);
}
