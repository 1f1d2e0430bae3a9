/** A real NatsConnection whose dials, buffering and outcomes are the engine's. */
import {
  type ConnectionOptions,
  Empty,
  errors,
  type Msg,
  type NatsConnection,
  NatsConnectionImpl,
  type Payload,
  type QueuedIterator,
  type RequestManyOptions,
  type RequestOptions,
  type Server,
  TimeoutError,
} from "@nats-io/transport-node";
import { type Effect, HoldfastError, isHoldfastError } from "../../call/index.ts";
import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import { processGovernor } from "../../governor/index.ts";
import { Link } from "../../link/index.ts";
import { type Resilience, resilienceOf } from "../../observe/index.ts";
import { type ResolvedResilience, resolveResilience } from "../../options/index.ts";
import { queueCallbacks } from "./callbacks.ts";
import { ConfirmTimer } from "./confirm.ts";
import { inTime, natsDriver } from "./driver.ts";
import { discoveredEndpoints } from "./endpoints.ts";
import { NeverSent } from "./never-sent.ts";
import { chooserOf, type NatsPlan, serverOf } from "./options.ts";
import type { Physical } from "./physical.ts";
import { RegulatedProtocol } from "./protocol.ts";
import { type NatsRequestOptions, RequestDeadline } from "./request-deadline.ts";
import { tellStatus } from "./status.ts";

/** The library's class; its constructor is private to TypeScript only. */
const Base: new (options: ConnectionOptions) => NatsConnectionImpl = NatsConnectionImpl as unknown as new (
  options: ConnectionOptions,
) => NatsConnectionImpl;

/** What `connect` of this package returns: the library's own interface, and `resilience`. */
export interface ResilientNatsConnection extends NatsConnection {
  /** As the library's; `effect` says what asking twice does. */
  request(subject: string, data?: Payload, opts?: NatsRequestOptions): Promise<Msg>;
  /** Events, snapshot, explain, health, force, drain of the connection. */
  readonly resilience: Resilience;
}

/** What a waiting PUB line, inbox and line ends cost beside subject and payload. */
const REQUEST_OVERHEAD_BYTES = 64;

export class HoldfastNatsConnection extends Base {
  readonly resilience: Resilience;
  readonly #link: Link<Physical>;
  readonly #plan: NatsPlan;
  readonly #config: ResolvedResilience;
  readonly #regulated: RegulatedProtocol;
  readonly #confirm: ConfirmTimer;
  readonly #neverSent: NeverSent;

  constructor(plan: NatsPlan) {
    super({ ...plan.library });
    const tell = (error: unknown): void =>
      this.#regulated.dispatchStatus({ type: "error", error: asError(error) });
    const handler = plan.library.reconnectToServer;
    const config = resolveResilience({
      ...plan.resilience,
      ...(handler && { choose: chooserOf(handler, tell) }),
    });
    const { clock } = config.world;
    this.#plan = plan;
    this.#config = config;
    this.#regulated = new RegulatedProtocol(this.options, this, {
      connection: () => this.#link.connection,
      hold: (wire) => this.#hold(wire),
      writeBufferBytes: config.writeBufferBytes,
      keepAliveMs: config.tcpKeepAliveMs,
      info: (physical) => this.#info(physical),
      published: (physical) => this.#confirm.published(physical),
      reconnectNow: () => this.#link.reconnectNow(),
    });
    this.protocol = this.#regulated;
    this.#confirm = new ConfirmTimer(clock, plan.confirmWithinMs, (physical) =>
      this.#regulated.confirm(physical),
    );
    this.#neverSent = new NeverSent(tell);
    this.#link = new Link<Physical>({
      ...config,
      name: config.name ?? `nats ${endpointId(plan.endpoints[0] as Endpoint)}`,
      driver: natsDriver(() => this.#regulated, { clock, authAbort: plan.authAbort }),
      endpoints: plan.endpoints,
      permits: config.permits ?? processGovernor,
    });
    this.resilience = resilienceOf(this.#link);
    tellStatus(this.#link, this.#regulated);
    if (plan.callbacks !== undefined) void queueCallbacks(this as never, this.#link, plan.callbacks, tell);
    this.#link.on("disconnected", () => this.#confirm.stop());
    this.#link.on("lameDuck", () => void this.#leave());
    this.#link.on("closed", ({ why, cause }) => {
      const asked = why === "user" || why === "drained";
      void this.#regulated.close(asked ? undefined : asError(cause ?? this.#link.closedError()));
    });
  }

  /** Starts to dial. Resolves when connected, or at once when the first connect is retried in the background. */
  async start(signal: AbortSignal | undefined = this.#plan.signal): Promise<void> {
    const { retryInitial, lazy } = this.#config.policy;
    const first = this.#link.connect(signal);
    if ((retryInitial || lazy) && !this.#plan.waitOnFirstConnect) first.catch(() => {});
    else await first;
  }

  override request(subject: string, data?: Payload, opts?: NatsRequestOptions): Promise<Msg> {
    const { effect = "once", ...given } = opts ?? {};
    const options: RequestOptions = { ...given, timeout: opts?.timeout || 1_000 };
    return this.#asked(subject, data, options.timeout, effect, (payload, leftMs) =>
      super.request(subject, payload, { ...options, timeout: leftMs }),
    );
  }

  override requestMany(
    subject: string,
    data: Payload = Empty,
    opts: Partial<RequestManyOptions> = {},
  ): Promise<QueuedIterator<Msg>> {
    const maxWait = opts.maxWait || 1_000;
    return this.#asked(subject, data, maxWait, "once", (payload, leftMs) =>
      super.requestMany(subject, payload, { ...opts, maxWait: leftMs }),
    );
  }

  /** Waits for a connection no longer than its own time; then it is never sent. A loss settles it with an outcome. */
  #asked<T>(
    subject: string,
    data: Payload | undefined,
    timeoutMs: number,
    effect: Effect,
    send: (payload: Payload | undefined, leftMs: number) => Promise<T>,
  ): Promise<T> {
    try {
      this._check(subject, true, true);
    } catch (error) {
      return Promise.reject(error);
    }
    if (!(timeoutMs >= 1)) return send(data, timeoutMs); // the library says what is wrong
    const { clock } = this.#config.world;
    const endMs = clock.nowMs() + timeoutMs;
    const keeps = this.#link.connection === undefined || effect !== "once";
    const payload = keeps && data instanceof Uint8Array ? data.slice() : data;
    const bytes = REQUEST_OVERHEAD_BYTES + subject.length + (data?.length ?? 0);
    const call = { bytes, effect, kind: "blocking", deadlineMs: timeoutMs, name: "the request" } as const;
    return this.#link.call(call, () =>
      send(payload, keeps ? Math.max(1, Math.ceil(endMs - clock.nowMs())) : timeoutMs).catch((error) => {
        throw error instanceof TimeoutError ? new RequestDeadline(timeoutMs, effect, error) : error;
      }),
    );
  }

  /** Also while there is no connection: it then resolves once what was published has reached the next one. */
  override flush(): Promise<void> {
    if (this.isClosed()) return Promise.reject(new errors.ClosedConnectionError());
    return this.#link.call({ bytes: 0, effect: "once", kind: "blocking", name: "the flush" }, () =>
      super.flush(),
    );
  }

  override async drain(): Promise<void> {
    if (this.isClosed()) throw new errors.ClosedConnectionError();
    if (this.isDraining()) throw new errors.DrainingConnectionError();
    this.draining = true;
    const { clock } = this.#config.world;
    const endMs = clock.nowMs() + this.#config.drainTimeoutMs;
    const leftMs = (): number => Math.max(0, endMs - clock.nowMs());
    const subs = this.#regulated.subscriptions.all().map((sub) => sub.drain());
    await inTime(clock, leftMs(), Promise.allSettled(subs));
    this.#regulated.noMorePublishing = true;
    await this.#link.drain(leftMs());
    await this.#regulated.closed;
  }

  override async close(): Promise<void> {
    await this.#link.close();
    await this.#regulated.closed;
  }

  /** Dials anew now, also in back-off; a thousand calls are one dial. */
  override async reconnect(): Promise<void> {
    if (this.isClosed()) throw new errors.ClosedConnectionError();
    if (this.isDraining()) throw new errors.DrainingConnectionError();
    this.#link.reconnectNow();
  }

  /** Not possible: the given servers are fixed, discovered ones are merged by the engine. Throws `HF_OPTION`. */
  override setServers(): never {
    throw new HoldfastError("HF_OPTION", "setServers: the given servers of a connection can't be changed");
  }

  override getServers(): ReadonlyArray<Server> {
    return this.#link.snapshot().candidates.map(serverOf);
  }

  /** A publish without a connection waits as the bytes it will be; the bound is never overshot. */
  #hold(wire: Uint8Array): void {
    const { bytes, entries, whenFull } = this.#config.outbox;
    const { waiting, waitingBytes, phase } = this.#link.snapshot();
    if (phase === "closed" || phase === "closing") throw this.#link.closedError();
    const fits = waitingBytes + wire.length <= bytes && waiting < entries;
    if (!fits && !(whenFull === "drop-oldest" && wire.length <= bytes))
      throw bufferFull(wire.length, waitingBytes, bytes);
    this.#link
      .call({ bytes: wire.length, effect: "once", kind: "cast", name: "the publish" }, async (physical) =>
        this.#regulated.sendHeld(physical, wire),
      )
      .catch((error: unknown) => this.#neverSent.tell(wire.length, error));
  }

  #info(physical: Physical): void {
    const info = this.#regulated.info;
    const { sink, endpoint } = physical.dial;
    if (this.#plan.discover) {
      try {
        sink.discovered(discoveredEndpoints(info?.connect_urls, endpoint));
      } catch (error) {
        sink.asyncError(error);
      }
    }
    if (info?.ldm === true) sink.lameDuck();
  }

  /** The server will go: once it has confirmed what was published, move to another, if there is one. */
  async #leave(): Promise<void> {
    const { connection, epoch } = this.#link;
    if (connection === undefined || this.#link.snapshot().candidates.length < 2) return;
    await inTime(
      this.#config.world.clock,
      this.#config.policy.closeTimeoutMs,
      this.#regulated.confirm(connection),
    );
    if (this.#link.epoch === epoch && this.#link.connection === connection) this.#link.failover();
  }
}

function bufferFull(bytes: number, held: number, limit: number): HoldfastError {
  const message = `the publish of ${bytes} bytes can't wait for a connection: ${held} of ${limit} bytes are waiting`;
  return new HoldfastError("HF_OUTBOX_FULL", message, { outcome: "not-applied", step: "waiting" });
}

function asError(cause: unknown): Error {
  if (isHoldfastError(cause) || cause instanceof Error) return cause as Error;
  return new Error(String(cause));
}
