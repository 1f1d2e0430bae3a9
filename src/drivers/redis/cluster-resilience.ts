/** `cluster.resilience`: the links of a cluster's nodes, seen as one. */
import type { LinkEvents, LinkSnapshot } from "../../link/index.ts";
import type { Health, Resilience } from "../../observe/index.ts";

/** An event of one node's link. */
export type ClusterEvent<K extends keyof LinkEvents> = LinkEvents[K] & {
  /** `host:port`. */
  readonly node: string;
};

export interface ClusterResilience {
  /** Listens to an event of every node's link, those to come included; returns what removes the listener. */
  on<K extends keyof LinkEvents>(name: K, listener: (event: ClusterEvent<K>) => void): () => void;
  /** The links there are, by `host:port`; a second one to the same node (pub/sub) has `#2` behind it. */
  nodes(): ReadonlyMap<string, Resilience>;
  /** Plain data of each node's link, safe to log. */
  snapshot(): Readonly<Record<string, LinkSnapshot>>;
  /** One sentence for each node. */
  explain(): string;
  /** `up` when every node's link is; `down` when none is `up` or `degraded`. */
  health(): Health;
}

type Listen = (name: string, handle: Resilience) => () => void;

/** The nodes' links as they come and go. */
export class NodeLinks implements ClusterResilience {
  readonly #links: Map<string, Resilience> = new Map();
  readonly #listeners: Map<Listen, Map<string, () => void>> = new Map();

  /** Follows a node's client until it is closed. */
  add(address: string, { resilience }: { readonly resilience: Resilience }): void {
    let name = address;
    for (let n = 2; this.#links.has(name); n++) name = `${address}#${n}`;
    this.#links.set(name, resilience);
    for (const [listen, offs] of this.#listeners) offs.set(name, listen(name, resilience));
    resilience.on("closed", () => {
      this.#links.delete(name);
      for (const offs of this.#listeners.values()) offs.delete(name);
    });
  }

  on<K extends keyof LinkEvents>(event: K, listener: (event: ClusterEvent<K>) => void): () => void {
    const listen: Listen = (name, handle) =>
      handle.on(event, (data) => listener({ ...data, node: name.replace(/#\d+$/, "") }));
    const offs = new Map([...this.#links].map(([name, handle]) => [name, listen(name, handle)]));
    this.#listeners.set(listen, offs);
    return () => {
      this.#listeners.delete(listen);
      for (const off of offs.values()) off();
    };
  }

  nodes(): ReadonlyMap<string, Resilience> {
    return new Map(this.#links);
  }

  snapshot(): Readonly<Record<string, LinkSnapshot>> {
    return Object.fromEntries([...this.#links].map(([name, handle]) => [name, handle.snapshot()]));
  }

  explain(): string {
    if (this.#links.size === 0) return "no node is known";
    return [...this.#links].map(([name, handle]) => `${name}: ${handle.explain()}`).join("; ");
  }

  health(): Health {
    const each = [...this.#links.values()].map((handle) => handle.health());
    const reason = this.explain();
    const downMs = Math.max(0, ...each.map((one) => one.downMs));
    if (each.every(({ status }) => status === "down")) return { status: "down", reason, downMs };
    return { status: each.every(({ status }) => status === "up") ? "up" : "degraded", reason, downMs };
  }
}
