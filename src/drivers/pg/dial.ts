/** How one physical connection is made: its socket, its handshake, its set-up. */
import { Socket, type SocketConnectOpts, type SocketConstructorOpts } from "node:net";
import { HoldfastError } from "../../call/index.ts";
import type { Endpoint } from "../../endpoint/index.ts";
import { Physical, type PhysicalOwner } from "./physical.ts";

/** What every connection of one pool or client is made from. */
export interface DialPlan {
  /** The library's options, without a place to dial. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The application's own socket. */
  readonly stream: ((config?: unknown) => unknown) | undefined;
  /** ms before the first TCP keepalive, or none. */
  readonly keepAliveMs: number | false;
  readonly connectTimeoutMs: number;
  /** Statements that every connection begins with. */
  readonly setUp: readonly string[];
  /** Refuse a server that only reads. */
  readonly primaryOnly: boolean;
}

/** One dial, whether a link's or a pool's. */
export interface DialContext extends PhysicalOwner {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  step(name: string): void;
  tap(socket: Socket): void;
  /** Hears of the connection before its set-up: hooks of the application. */
  made?(physical: Physical): Promise<void>;
}

/** Node gives up on each address of a name after 250 ms; here every one may use its share of the whole deadline. */
class DialSocket extends Socket {
  readonly #plan: DialPlan;
  readonly #path: string | undefined;

  constructor(plan: DialPlan, path: string | undefined) {
    const { keepAliveMs } = plan;
    super({
      noDelay: true,
      ...(keepAliveMs !== false && { keepAlive: true, keepAliveInitialDelay: keepAliveMs }),
    } as SocketConstructorOpts);
    this.#plan = plan;
    this.#path = path;
  }

  override connect(...where: unknown[]): this {
    const { connectTimeoutMs } = this.#plan;
    const [port, host] = where as [number, string];
    const options = {
      ...(this.#path === undefined ? { port, host } : { path: this.#path }),
      autoSelectFamilyAttemptTimeout: Math.max(250, Math.ceil(Math.min(connectTimeoutMs, 60_000) / 3)),
    };
    return super.connect(options as SocketConnectOpts);
  }
}

/** @throws what resolve, TCP, TLS, handshake or set-up failed with; nothing is left open then */
export async function dialPg(plan: DialPlan, context: DialContext): Promise<Physical> {
  const { endpoint, signal } = context;
  const config = {
    ...plan.config,
    host: endpoint.host,
    port: endpoint.port,
    keepAlive: false, // ours is on from the first moment
    stream: (options: unknown): unknown => {
      const socket = (plan.stream?.(options) ?? new DialSocket(plan, endpoint.path)) as Socket;
      context.tap(socket);
      socket.once("connect", () => context.step("handshake"));
      return socket;
    },
  };
  context.step("tcp");
  const physical = new Physical(config, endpoint, context);
  await physical.connect(signal);
  try {
    context.step("set-up");
    if (plan.primaryOnly) await mustBePrimary(physical);
    await context.made?.(physical);
    await setUp(physical, plan);
    return physical;
  } catch (error) {
    physical.destroy();
    throw error;
  }
}

/** What every connection begins with; after a reset, also what the application's hooks had sent to it. */
export async function setUp(physical: Physical, plan: DialPlan, again = false): Promise<void> {
  if (again) for (const declared of physical.declared) await physical.ask(declared);
  for (const text of plan.setUp) await physical.ask(text);
  physical.dirty = false;
  physical.word.begins();
}

/** A standby tells it with its first words since version 14; it may also be a primary that was told to only read. */
async function mustBePrimary(physical: Physical): Promise<void> {
  const { standby, parameters } = physical.word;
  const told = parameters.get("default_transaction_read_only");
  let reads = standby === true || told === "on";
  if (standby === undefined || told === undefined) {
    const asked = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS reads";
    const { rows } = await physical.ask(asked);
    reads = rows[0]?.reads === true;
  }
  if (!reads) return;
  // The code with which servers refuse writes, so that it is judged as such a refusal is.
  const cause = Object.assign(new Error("the server is read-only"), { code: "25006", severity: "ERROR" });
  throw new HoldfastError("HF_CONNECT", "the server is read-only, and a primary was asked for", { cause });
}
