/** Several nats-servers on loopback that know each other by routes. */
import { ask } from "./ask.ts";
import { freePort } from "./port.ts";
import type { RunningServer } from "./server.ts";
import { type StartOptions, startServer } from "./start.ts";
import { until } from "./until.ts";

export interface NatsClusterOptions {
  /** Debian's version, or the current one. Default `"nats"`. */
  readonly server?: "nats" | "nats-current";
  /** Default 3. */
  readonly size?: number;
  /** JetStream on every server, for replicated streams. */
  readonly durable?: boolean;
  /** Further settings of each server. */
  readonly config?: StartOptions["config"];
  readonly get?: StartOptions["get"];
}

/** How long the others may take to learn of a server, to elect, and to catch up. */
const HEALTHY_MS = 60_000;

/** A running cluster. Disposing it kills every server. */
export class NatsCluster implements AsyncDisposable {
  readonly servers: readonly RunningServer[];
  readonly #monitors: readonly number[];

  private constructor(servers: readonly RunningServer[], monitors: readonly number[]) {
    this.servers = servers;
    this.#monitors = monitors;
  }

  /** Starts them all; resolves when the cluster is healthy. */
  static async start(options: NatsClusterOptions = {}): Promise<NatsCluster> {
    const { server = "nats", size = 3, durable = false, config, get } = options;
    const members = Array.from({ length: size }, (_, i) => i);
    const routes = await Promise.all(members.map(() => freePort()));
    const monitors = await Promise.all(members.map(() => freePort()));
    const urls = routes.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
    const starts = await Promise.allSettled(
      members.map((i) =>
        startServer(server, {
          durable,
          ...(get !== undefined && { get }),
          config: {
            server_name: `member-${i}`,
            http: `127.0.0.1:${monitors[i]}`,
            cluster: `{ name: lab, host: "127.0.0.1", port: ${routes[i]}, routes: [${urls}] }`,
            ...config,
          },
        }),
      ),
    );
    const running = starts.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const cluster = new NatsCluster(running, monitors);
    const failed = starts.find((each) => each.status === "rejected");
    try {
      if (failed !== undefined) throw failed.reason;
      await cluster.healthy();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What clients connect to, in the members' order. */
  get urls(): string[] {
    return this.servers.map(({ url }) => url);
  }

  /** The member a client is connected to, by its `getServer()`. */
  member(address: string): RunningServer {
    const found = this.servers.find(({ host, port }) => address === `${host}:${port}`);
    if (found === undefined) throw new RangeError(`${address} is no member of the cluster`);
    return found;
  }

  /**
   * Resolves when every running member is well: it knows all running ones, and its replicated streams are caught up.
   * What a careful operator waits for before the next server of a rolling restart.
   */
  async healthy(): Promise<void> {
    const wanted = this.servers.filter(({ running }) => running);
    const members = this.servers.map((server, i) => ({ server, monitor: this.#monitors[i] as number }));
    for (const { server, monitor } of members) {
      if (!server.running) continue;
      await until(`health of ${server.name} ${server.port}`, HEALTHY_MS, async () => {
        if ((await knownTo(server)) < wanted.length) throw new Error("it doesn't know every member");
        const answer = await ask(server.host, monitor, "GET /healthz HTTP/1.0\r\n\r\n", () => false);
        if (!/^HTTP\/1\.[01] 200 /.test(answer)) throw new Error(answer.split("\r\n\r\n")[1] ?? answer);
        return true;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

/** How many members a server tells its clients about. */
async function knownTo({ host, port }: RunningServer): Promise<number> {
  const text = await ask(host, port, "", (text) => /^INFO .*\r\n/.test(text));
  const info = JSON.parse(text.slice("INFO ".length, text.indexOf("\r\n"))) as { connect_urls?: string[] };
  return info.connect_urls?.length ?? 1;
}
