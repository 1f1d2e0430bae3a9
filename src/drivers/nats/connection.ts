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
} from "@nats-io/transport-node";
import { type Effect, HoldfastError, isHoldfastError } from "../../call/index.ts";
import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import { processGovernor } from "../../governor/index.ts";
import { Link } from "../../link/index.ts";
import { type Resilience, resilienceOf } from "../../observe/index.ts";
import { type ResolvedResilience, resolveResilience } from "../../options/index.ts";
import { queueCallbacks } from "./callbacks.ts";
import { chooserOf } from "./chooser.ts";
import { ConfirmTimer } from "./confirm.ts";
import { inTime, natsDriver } from "./driver.ts";
import { discoveredEndpoints } from "./endpoints.ts";
import { Login } from "./login.ts";
import { bufferFull, NeverSent } from "./never-sent.ts";
import type { NatsPlan } from "./options.ts";
import type { Physical } from "./physical.ts";
import { RegulatedProtocol } from "./protocol.ts";
import { type NatsRequestOptions, RequestDeadline, timedOut } from "./request-deadline.ts";
import { ServerBook } from "./server-book.ts";
import { tellStatus } from "./status.ts";
import { CallerTrace, withoutTraces } from "./trace.ts";
import { makeWires } from "./wires.ts";
import { WriteStall } from "./write-stall.ts";

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
  readonly #book: ServerBook;
  readonly #confirm: ConfirmTimer;
  readonly #stall: WriteStall;
  #secured = false;
  readonly #neverSent: NeverSent;

  constructor(plan: NatsPlan) {
    const book = new ServerBook(plan.servers);
    const login = new Login(plan, book);
    super(login.library());
    const tell = (error: unknown): void =>
      this.#regulated.dispatchStatus({ type: "error", error: asError(error) });
    const handler = plan.library.reconnectToServer;
    const config = resolveResilience({
      ...plan.resilience,
      ...(handler && {
        choose: chooserOf(
          handler,
          (candidate) => book.server(candidate),
          () => this.#regulated.info ?? null,
          tell,
        ),
      }),
    });
    const { clock } = config.world;
    this.#plan = plan;
    this.#book = book;
    this.#config = config;
    this.#regulated = new RegulatedProtocol(this.options, this, {
      connection: () => this.#link.connection,
      hold: (wire) => this.#hold(wire),
      writeBufferBytes: config.writeBufferBytes,
      wire: makeWires(plan, config, book, () => this.#useTlsJitter()),
      credentials: (dial) => login.ask(dial),
      closeOnUnknownError: plan.own.unknownServerError === "close",
      info: (physical) => this.#info(physical),
      published: (physical) => {
        this.#confirm.published(physical);
        this.#stall.published(physical);
      },
      watchesPublishes: plan.own.confirmWithinMs > 0 || plan.own.writeStallMs !== Number.POSITIVE_INFINITY,
      reconnectNow: () => this.#link.reconnectNow(),
    });
    this.protocol = this.#regulated;
    this.#confirm = new ConfirmTimer(clock, plan.own.confirmWithinMs, (physical) =>
      this.#regulated.confirm(physical),
    );
    this.#stall = new WriteStall(clock, plan.own.writeStallMs, (physical, bytes) =>
      this.#stalled(physical, bytes),
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
    const { callbacks } = plan.own;
    if (callbacks !== undefined) void queueCallbacks(this as never, this.#link, callbacks, tell);
    this.#link.on("attempt", ({ endpoint }) => book.dialled(endpoint, clock.wallMs()));
    this.#link.on("connected", ({ endpoint }) => book.connected(endpoint));
    this.#link.on("reconnected", ({ endpoint }) => book.connected(endpoint));
    this.#link.on("disconnected", () => {
      this.#confirm.stop();
      this.#stall.stop();
    });
    this.#link.on("lameDuck", () => void this.#leave());
    this.#link.on("closed", ({ why, cause }) => {
      const asked = why === "user" || why === "drained";
      this.#neverSent.end(cause ?? this.#link.closedError());
      void this.#regulated.close(asked ? undefined : asError(cause ?? this.#link.closedError()));
    });
  }

  /** Starts to dial. Resolves when connected, or at once when the first connect is retried in the background. */
  async start(signal: AbortSignal | undefined = this.#plan.own.signal): Promise<void> {
    const { retryInitial, lazy } = this.#config.policy;
    const first = this.#link.connect(signal);
    if ((retryInitial || lazy) && !this.#plan.waitOnFirstConnect) first.catch(() => {});
    else await first;
  }

  override request(subject: string, data?: Payload, opts?: NatsRequestOptions): Promise<Msg> {
    const { effect = "once", ...given } = opts ?? {};
    const options: RequestOptions = { ...given, timeout: opts?.timeout || 1_000 };
    const trace = this.options.noAsyncTraces ? undefined : new CallerTrace(this.request);
    return this.#asked(subject, data, options.timeout, effect, trace, (payload, leftMs) => {
      options.timeout = leftMs;
      return withoutTraces(this.options, () => super.request(subject, payload, options));
    });
  }

  override requestMany(
    subject: string,
    data: Payload = Empty,
    opts: Partial<RequestManyOptions> = {},
  ): Promise<QueuedIterator<Msg>> {
    const maxWait = opts.maxWait || 1_000;
    return this.#asked(subject, data, maxWait, "once", undefined, (payload, leftMs) =>
      super.requestMany(subject, payload, { ...opts, maxWait: leftMs }),
    );
  }

  /** Waits for a connection no longer than its own time; then it is never sent. A loss settles it with an outcome. */
  #asked<T>(
    subject: string,
    data: Payload | undefined,
    timeoutMs: number,
    effect: Effect,
    trace: CallerTrace | undefined,
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
    const told = (cause: unknown): never => {
      const error = timedOut(cause) ? new RequestDeadline(timeoutMs, effect, cause) : cause;
      if (error instanceof RequestDeadline || error instanceof errors.RequestError) trace?.mark(error);
      throw error;
    };
    const answer = this.#link.call(call, () =>
      send(payload, keeps ? Math.max(1, Math.ceil(endMs - clock.nowMs())) : timeoutMs).catch(told),
    );
    return answer.catch(told);
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

  /**
   * Gives other servers, for the next reconnect: all of these and no others, until the cluster names more. The
   * connection in use stays; attempts that failed on a server that stays still count.
   * @throws `HF_OPTION` for a bad entry; nothing is changed then
   */
  override setServers(servers: string[]): void {
    if (this.isClosed()) throw new errors.ClosedConnectionError();
    this.#link.setEndpoints(this.#book.replace(servers));
  }

  override getServers(): ReadonlyArray<Server> {
    return this.#link.snapshot().candidates.map((candidate) => this.#book.server(candidate));
  }

  /** The server demands TLS although nobody here asked for it: from now on the jitter is TLS'. */
  #useTlsJitter(): void {
    const backoff = this.#plan.tlsBackoff;
    if (this.#secured || backoff === undefined) return;
    this.#secured = true;
    const { policy } = this.#config;
    this.#link.setPolicy({ ...policy, backoff });
  }

  #stalled(physical: Physical, bytes: number): void {
    const { writeStallMs, reconnectOnWriteStall } = this.#plan.own;
    const message = `the server took none of ${bytes} bytes for ${writeStallMs} ms`;
    const error = new HoldfastError("HF_WRITE_BUFFER_FULL", message, { step: "write" });
    physical.dial.sink.asyncError(error);
    if (reconnectOnWriteStall) physical.dial.sink.lost(error);
  }

  /** A publish without a connection waits as the bytes it will be; the bound is never overshot. */
  #hold(wire: Uint8Array): void {
    const { bytes, entries, whenFull } = this.#config.outbox;
    const { waiting, waitingBytes, phase } = this.#link.snapshot();
    if (phase === "closed" || phase === "closing") throw this.#link.closedError();
    const fits = waitingBytes + wire.length <= bytes && waiting < entries;
    if (!fits && !(whenFull === "drop-oldest" && wire.length <= bytes))
      throw bufferFull(wire.length, waitingBytes, bytes);
    this.#neverSent.waits(wire.length);
    this.#link
      .call({ bytes: wire.length, effect: "once", kind: "cast", name: "the publish" }, async (physical) => {
        this.#regulated.sendHeld(physical, wire);
        this.#neverSent.sent(wire.length);
      })
      .catch((error: unknown) => this.#neverSent.tell(wire.length, error));
  }

  #info(physical: Physical): void {
    const info = this.#regulated.info;
    const { sink, endpoint } = physical.dial;
    if (this.#plan.discover) {
      try {
        const members = discoveredEndpoints(info?.connect_urls, endpoint, this.#book.websocket);
        this.#book.discovered(members);
        sink.discovered(members);
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

function asError(cause: unknown): Error {
  if (isHoldfastError(cause) || cause instanceof Error) return cause as Error;
  return new Error(String(cause));
}
