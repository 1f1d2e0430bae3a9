/** What a case works with: a server, a proxy before it, clients that are closed afterwards, and waiting with deadlines. */
import { Governor } from "../../governor/index.ts";
import type { ResilienceOptions } from "../../options/index.ts";
import { type FaultProxy, faultProxy, type Upstream } from "../proxy/index.ts";
import { until } from "../servers/until.ts";
import type { ConformanceTarget, OpenOptions, TargetClient, TargetServer } from "./target.ts";
import { EventLog } from "./watch.ts";

/** Servers shared by the cases of a run: starting one takes longer than most cases. */
export class Servers implements AsyncDisposable {
  readonly #target: ConformanceTarget;
  readonly #servers: TargetServer[] = [];
  #nextId = 1;

  constructor(target: ConformanceTarget) {
    this.#target = target;
  }

  /** The first or second server; started when first asked for, and again when a case left it dead. */
  async get(index: 0 | 1): Promise<TargetServer> {
    while (this.#servers.length <= index) this.#servers.push(await this.#target.startServer());
    const server = this.#servers[index] as TargetServer;
    if (!server.running) await server.restart();
    return server;
  }

  get started(): readonly TargetServer[] {
    return this.#servers;
  }

  /** Ids are never used twice within a run. */
  nextId(): number {
    return this.#nextId++;
  }

  /** A trial numbers its writes from 1 on: these are moved to a range of their own. */
  takeRange(length: number): number {
    const first = this.#nextId;
    this.#nextId += length;
    return first;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.splice(0)) await server[Symbol.asyncDispose]();
  }
}

/**
 * Quick figures for tests; a case changes what it is about. What may end a connection that is well is not quick: a busy
 * machine may be silent for a second.
 */
export const quick: ResilienceOptions = {
  order: "given",
  backoff: { minMs: 50, baseMs: 100, capMs: 300 },
  minDialGapMs: 50,
  connectTimeoutMs: 5_000,
  restoreTimeoutMs: 5_000,
  stableAfterMs: 1_000,
  liveness: { idleProbeMs: 200, probeTimeoutMs: 5_000 },
};

/** For cases of silent peers: what they wait for is quick too. A first connect that is too slow is tried again. */
export const alert: ResilienceOptions = {
  connectTimeoutMs: 500,
  restoreTimeoutMs: 1_000,
  liveness: { idleProbeMs: 200, probeTimeoutMs: 200 },
  retryInitial: true,
};

/** One client of a case with its events. */
export interface Opened {
  readonly client: TargetClient;
  readonly events: EventLog;
}

export class CaseContext {
  readonly target: ConformanceTarget;
  readonly server: TargetServer;
  readonly proxy: FaultProxy;
  readonly #servers: Servers;
  readonly #opened: Opened[] = [];
  readonly #proxies: FaultProxy[];

  private constructor(target: ConformanceTarget, servers: Servers, server: TargetServer, proxy: FaultProxy) {
    this.target = target;
    this.#servers = servers;
    this.server = server;
    this.proxy = proxy;
    this.#proxies = [proxy];
  }

  static async start(target: ConformanceTarget, servers: Servers): Promise<CaseContext> {
    const server = await servers.get(0);
    return new CaseContext(target, servers, server, await faultProxy({ upstream: addressOf(server) }));
  }

  /** A second server behind a proxy of its own. */
  async second(): Promise<{ server: TargetServer; proxy: FaultProxy }> {
    const server = await this.#servers.get(1);
    const proxy = await faultProxy({ upstream: addressOf(server) });
    this.#proxies.push(proxy);
    return { server, proxy };
  }

  /** A client of the case; not connected. Closed when the case ends. */
  open(options: Partial<OpenOptions> = {}): Opened {
    const { resilience, ...rest } = options;
    const client = this.target.open({
      endpoints: [this.proxy.endpoint],
      ...rest,
      resilience: { ...quick, governor: new Governor(), ...resilience },
    });
    const opened = { client, events: new EventLog(client.resilience) };
    this.#opened.push(opened);
    return opened;
  }

  /** The same, connected. */
  async connected(options: Partial<OpenOptions> = {}): Promise<Opened> {
    const opened = this.open(options);
    await within("the first connect", 10_000, opened.client.connect());
    // With `retryInitial` some clients can be used before they are connected.
    await within("the first connect", 10_000, opened.client.resilience.whenReady());
    return opened;
  }

  nextId(): number {
    return this.#servers.nextId();
  }

  takeRange(length: number): number {
    return this.#servers.takeRange(length);
  }

  /** How often an id was applied at the server. */
  async applied(id: number): Promise<number> {
    return (await this.server.audit()).get(id) ?? 0;
  }

  /** Closes every client and proves that the server has no connection of theirs left. */
  async end(): Promise<void> {
    for (const { client } of this.#opened) await within("close", 10_000, client.close());
    for (const proxy of this.#proxies) await proxy.clear();
    await this.noSockets();
    this.#opened.length = 0;
  }

  /** Resolves when neither the proxies nor the servers hold a connection; rejects at the deadline. */
  async noSockets(deadlineMs = 10_000): Promise<void> {
    for (const proxy of this.#proxies) {
      await until("no connection at the proxy", deadlineMs, () => proxy.connections().length === 0);
    }
    await this.noSocketsAtServers(deadlineMs);
  }

  /** The same for the servers alone: a black hole keeps the close from the proxy. */
  async noSocketsAtServers(deadlineMs = 10_000): Promise<void> {
    for (const server of this.#servers.started) {
      await until(
        "no connection at the server",
        deadlineMs,
        async () => (await server.connectionCount()) === 0,
      );
    }
  }

  /** After `end`, or when the case failed: nothing of it may disturb the next. */
  async discard(): Promise<void> {
    for (const { client } of this.#opened) client.close().catch(() => {});
    for (const proxy of this.#proxies) await proxy.close();
    await this.server.resume?.();
  }
}

/** A server's address, without the rest of the server. */
export function addressOf({ host, port }: TargetServer): Upstream {
  return { host, port };
}

/** The promise, or a rejection naming what was waited for. */
export function within<T>(what: string, deadlineMs: number, promise: Promise<T>): Promise<T> {
  let settled = false;
  const tracked = promise.finally(() => {
    settled = true;
  });
  tracked.catch(() => {});
  const late = until(what, deadlineMs, () => settled);
  return late.then(() => promise);
}
