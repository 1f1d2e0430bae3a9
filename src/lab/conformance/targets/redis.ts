/** The suite's adapter for `holdfast/redis`, against redis-server with `appendfsync always`. */
import { createClient as createBareClient, ErrorReply } from "redis";
import { createClient } from "../../../drivers/redis/index.ts";
import { startServer } from "../../servers/index.ts";
import { until } from "../../servers/until.ts";
import type { ConformanceTarget, OpenOptions, TargetClient, TargetServer } from "../target.ts";

/** The hash whose fields are the ids: a write applied twice has the value 2. */
const book = "holdfast:conformance";
const firstPassword = "conformance-secret-1";
const wrongPassword = "conformance-wrong-secret";

/** A run of its own: servers and clients share the password in force. */
export function redisTarget(): ConformanceTarget {
  const secret = { now: firstPassword, rotations: 0 };
  return {
    driver: "redis",
    lacks: {},
    proves: ["R", "mariadb-redis"],
    startServer: () => startRedis(secret),
    open: (options) => openClient(options, secret),
  };
}

interface Secret {
  now: string;
  rotations: number;
}

async function startRedis(secret: Secret): Promise<TargetServer> {
  const server = await startServer("redis", { durable: true, password: firstPassword });
  const direct = async <T>(ask: (client: ReturnType<typeof bare>) => Promise<T>): Promise<T> => {
    const client = bare(server.port, secret.now);
    await client.connect();
    try {
      return await ask(client);
    } finally {
      const gone = new Promise<void>((resolve) => client.once("end", () => resolve()));
      client.destroy();
      await gone;
    }
  };
  return {
    host: server.host,
    port: server.port,
    description: `redis-server ${server.version}, appendfsync always`,
    get running() {
      return server.running;
    },
    connectionCount: () => server.connectionCount(),
    async audit() {
      const all = await direct((client) => client.hGetAll(book));
      return new Map(Object.entries(all).map(([id, count]) => [Number(id), Number(count)]));
    },
    async rotateCredentials() {
      const next = `conformance-secret-${++secret.rotations + 1}`;
      await direct(async (client) => {
        await client.configSet("requirepass", next);
        secret.now = next;
        await client.sendCommand(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
      });
    },
    kill9: () => server.kill9(),
    restart() {
      secret.now = firstPassword; // a server started again has the password of its configuration
      return server.restart();
    },
    pause: () => server.pause(),
    resume: () => server.resume(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The library itself, for the audit: it must not be our own driver that says what the server has. */
function bare(port: number, password: string) {
  const client = createBareClient({
    password,
    socket: { host: "127.0.0.1", port, reconnectStrategy: false },
  });
  client.on("error", () => {}); // its promises tell
  return client;
}

function openClient(options: OpenOptions, secret: Secret): TargetClient {
  const { endpoints, resilience, callDeadlineMs, wrongCredentials } = options;
  const client = createClient({
    credentialsProvider: {
      type: "async-credentials-provider",
      credentials: async () => ({ password: wrongCredentials ? wrongPassword : secret.now }),
    },
    resilience: { ...resilience, endpoints },
    ...(callDeadlineMs !== undefined && { commandOptions: { timeout: callDeadlineMs } }),
  });
  return {
    resilience: client.resilience,
    connect: (signal) => connect(client, signal),
    write: (id) => client.hIncrBy(book, String(id), 1),
    read: () => client.hGet(book, "0"),
    close: () => client.resilience.close(),
    isAnswer: (error) => error instanceof ErrorReply,
    async holdSession() {
      let heard = 0;
      await client.subscribe("conformance", () => heard++);
      await client.clientSetName("conformance");
      return async () => {
        const before = heard;
        await client.publish("conformance", "hello");
        await until("the message", 2_000, () => heard > before);
        return (await client.clientGetName()) === "conformance";
      };
    },
  };
}

/** The library's `connect` takes no signal; `destroy` is its way out. */
function connect(
  client: { connect(): Promise<unknown>; destroy(): void },
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const connecting = client.connect();
  if (signal === undefined) return connecting;
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => {
      client.destroy();
      reject(signal.reason);
    });
    connecting.then(resolve, reject);
  });
}
