/**
 * `holdfast/nats`: change one import.
 *
 * ```ts
 * import { connect } from "holdfast/nats"; // was: "@nats-io/transport-node"
 * const nc = await connect({ servers: "nats://127.0.0.1:4222" });
 * nc.resilience.on("disconnected", ({ cause }) => console.warn("lost", cause));
 * ```
 */
import { HoldfastNatsConnection, type ResilientNatsConnection } from "./connection.ts";
import { fromNatsOptions, type NatsConnectOptions } from "./options.ts";

export * from "@nats-io/transport-node";
export { type NatsCallbacks, queueCallbacks } from "./callbacks.ts";
export { HoldfastNatsConnection, type ResilientNatsConnection } from "./connection.ts";
export { credsFile, type GoCredentials, nkeySeedFile } from "./credentials.ts";
export { fromGoOptions, type NatsGoOptions } from "./go-options.ts";
export {
  type CredentialsAttempt,
  fromNatsOptions,
  type NatsConnectOptions,
  type NatsPlan,
  type NatsResilienceOptions,
  natsDefaults,
} from "./options.ts";
export { type NatsRequestOptions, RequestDeadline } from "./request-deadline.ts";
export { SlowConsumer } from "./slow-consumer.ts";
export type { WebSocketFactory, WebSocketLike } from "./websocket.ts";

/**
 * Connects like the library's own `connect`, with the same options and `resilience`.
 *
 * With `resilience.retryInitial` the connection is returned at once and works as soon as it can; with
 * `waitOnFirstConnect` it is awaited.
 *
 * @throws (as rejection) `HF_OPTION` before anything is dialled; `HF_CONNECT` with the library's error as `cause`
 */
export function connect(options: NatsConnectOptions = {}): Promise<ResilientNatsConnection> {
  return connected(options, "nats");
}

/**
 * The library's `wsconnect`: as `connect`, and a server without a scheme is a `wss://` one. `connect` takes WebSocket
 * servers as well.
 */
export function wsconnect(options: NatsConnectOptions = {}): Promise<ResilientNatsConnection> {
  return connected(options, "wss");
}

async function connected(options: NatsConnectOptions, scheme: string): Promise<ResilientNatsConnection> {
  const connection = new HoldfastNatsConnection(fromNatsOptions(options, scheme));
  await connection.start();
  // The library's own class declares `info` wider than its interface does.
  return connection as unknown as ResilientNatsConnection;
}
