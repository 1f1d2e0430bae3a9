/** How one physical connection is made: its socket, its handshake, its set-up. */
import { connect as connectSocket, type NetConnectOpts, type Socket } from "node:net";
import { HoldfastError } from "../../call/index.ts";
import type { Endpoint } from "../../endpoint/index.ts";
import type { CommandClasses } from "./internals.ts";
import { copyConfig, type LibraryConfig } from "./library.ts";
import type { MysqlResilience } from "./options.ts";
import { Physical, type PhysicalOwner } from "./physical.ts";

/** What every connection of one pool or client is made from. */
export interface DialPlan {
  readonly config: LibraryConfig;
  readonly classes: CommandClasses;
  /** ms before the first TCP keepalive, or none. */
  readonly keepAliveMs: number | false;
  readonly connectTimeoutMs: number;
  /** Statements that every connection begins with. */
  readonly setUp: readonly string[];
  /** Asked before every dial. */
  readonly credentials: MysqlResilience["credentials"];
  /** Refuse a server that only reads. */
  readonly primaryOnly: boolean;
}

/** One dial, whether a link's or a pool's. */
export interface DialContext extends PhysicalOwner {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  /** User, password and database in force; the plan's when absent. */
  readonly identity?: Partial<LibraryConfig>;
  step(name: string): void;
  tap(socket: Socket): void;
}

/** @throws what resolve, TCP, TLS, handshake or set-up failed with; nothing is left open then */
export async function dialMysql(plan: DialPlan, context: DialContext): Promise<Physical> {
  const { endpoint, signal } = context;
  const { stream: given } = plan.config;
  context.step("credentials");
  const credentials = await plan.credentials?.();
  if (signal.aborted) throw signal.reason;
  const config = copyConfig(plan.config, {
    ...(credentials?.user !== undefined && { user: credentials.user }),
    ...(credentials?.password !== undefined && { password: credentials.password }),
    ...context.identity,
    host: endpoint.host,
    port: endpoint.port,
    socketPath: endpoint.path,
    connectTimeout: 0,
    stream: (options: unknown) => {
      const socket = typeof given === "function" ? (given(options) as Socket) : openSocket(plan, endpoint);
      context.tap(socket);
      socket.once("connect", () => context.step("handshake"));
      return socket;
    },
  });
  context.step("tcp");
  const physical = new Physical(config, endpoint, plan.classes, context);
  await physical.connect(signal);
  try {
    context.step("set-up");
    await setUp(physical, plan);
    return physical;
  } catch (error) {
    physical.destroy();
    throw error;
  }
}

/** What every connection begins with, and begins with again after a reset. */
export async function setUp(physical: Physical, plan: DialPlan): Promise<void> {
  if (plan.primaryOnly) await mustBePrimary(physical);
  for (const sql of [...plan.setUp, ...physical.declared]) await physical.query(sql);
  physical.dirty = false;
  physical.word.changed = false;
}

async function mustBePrimary(physical: Physical): Promise<void> {
  const rows = (await physical.query("SELECT @@global.read_only AS readOnly")) as { readOnly: unknown }[];
  const { readOnly } = rows[0] ?? { readOnly: undefined };
  if (String(readOnly) === "0" || String(readOnly) === "OFF") return;
  // The number servers refuse writes with, so that it is judged as such a refusal is.
  const cause = Object.assign(new Error("the server is read-only"), { errno: 1836 });
  throw new HoldfastError("HF_CONNECT", "the server is read-only, and a primary was asked for", { cause });
}

function openSocket({ config, keepAliveMs, connectTimeoutMs }: DialPlan, endpoint: Endpoint): Socket {
  const where =
    endpoint.path === undefined ? { host: endpoint.host, port: endpoint.port } : { path: endpoint.path };
  return connectSocket({
    ...where,
    noDelay: true,
    ...(config.localAddress !== undefined && { localAddress: config.localAddress }),
    ...(keepAliveMs !== false && { keepAlive: true, keepAliveInitialDelay: keepAliveMs }),
    // Node gives up on each address of a name after 250 ms; every one may use its share of the whole deadline.
    autoSelectFamilyAttemptTimeout: Math.max(250, Math.ceil(Math.min(connectTimeoutMs, 60_000) / 3)),
  } as NetConnectOpts);
}
