/** Who can tell that a server has read a core publish: a subscriber of the library itself at that very server. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { RunningServer } from "../../servers/index.ts";

/**
 * One subscriber at each server. A message is delivered at most once to each of them, and always to the one at the
 * server that read it: so a number that one of them heard twice was published twice.
 */
export class NatsWitnesses {
  readonly #subject: string;
  /** By port: connections die with their server, what was heard stays. */
  readonly #connections: Map<number, NatsConnection> = new Map();
  readonly #heard: Map<number, Map<number, number>> = new Map();

  private constructor(subject: string) {
    this.#subject = subject;
  }

  static async start(
    servers: readonly Pick<RunningServer, "port" | "url">[],
    subject: string,
  ): Promise<NatsWitnesses> {
    const witnesses = new NatsWitnesses(subject);
    for (const server of servers) await witnesses.attach(server);
    return witnesses;
  }

  /** Listens at a server, anew after it was restarted. Resolves when the server has the subscription. */
  async attach({ port, url }: Pick<RunningServer, "port" | "url">): Promise<void> {
    await this.#connections.get(port)?.close();
    const counts = this.#heard.get(port) ?? new Map<number, number>();
    this.#heard.set(port, counts);
    const nc = await connect({ servers: url, reconnect: false, ignoreClusterUpdates: true });
    this.#connections.set(port, nc);
    nc.subscribe(this.#subject, {
      callback: (_error, message) => {
        const id = Number(message.string());
        counts.set(id, (counts.get(id) ?? 0) + 1);
      },
    });
    await nc.flush();
  }

  /** Resolves when everything the server has read so far is here. */
  async heardAll({ port }: Pick<RunningServer, "port">): Promise<void> {
    await this.#connections.get(port)?.flush();
  }

  /** Number → how often it was published, once everything a server has read is here. */
  async counts(): Promise<ReadonlyMap<number, number>> {
    for (const nc of this.#connections.values()) await nc.flush();
    const most = new Map<number, number>();
    for (const counts of this.#heard.values())
      for (const [id, count] of counts) most.set(id, Math.max(count, most.get(id) ?? 0));
    return most;
  }

  async close(): Promise<void> {
    for (const nc of this.#connections.values()) await nc.close();
  }
}
