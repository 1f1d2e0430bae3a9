/** nats.go's callbacks, by its names and in its order: one queue, never two at a time, each with its cause. */
import type { Subscription } from "@nats-io/transport-node";
import type { LinkEvents } from "../../link/index.ts";
import { SlowConsumer } from "./slow-consumer.ts";

type Called = void | Promise<void>;

/** All optional. An async one is awaited before the next is called; what one throws is told as an async error. */
export interface NatsCallbacks<NC = unknown> {
  /** The first connection. */
  readonly ConnectedCB?: (nc: NC) => Called;
  /** Deprecated in nats.go: not called when `DisconnectedErrCB` is set. */
  readonly DisconnectedCB?: (nc: NC) => Called;
  /** A connection ended; the error is `undefined` when its owner ended it. */
  readonly DisconnectedErrCB?: (nc: NC, error: unknown) => Called;
  readonly ReconnectedCB?: (nc: NC) => Called;
  /** An attempt failed. */
  readonly ReconnectErrCB?: (nc: NC, error: unknown) => Called;
  /** New servers joined; not called for those named at the first connect, nor for one that was known before. */
  readonly DiscoveredServersCB?: (nc: NC) => Called;
  /** An error outside of any call, such as a slow consumer: then with its subscription. */
  readonly AsyncErrorCB?: (nc: NC, sub: Subscription | undefined, error: unknown) => Called;
  readonly LameDuckModeHandler?: (nc: NC) => Called;
  /** The end, and the last call. */
  readonly ClosedCB?: (nc: NC) => Called;
  /** After the owner's own `close` nothing is called. Default `false`. */
  readonly NoCallbacksAfterClientClose?: boolean;
  /** What a first connect that had to be retried calls: nats.go's code (default) or its documentation. */
  readonly RetriedFirstConnectIs?: "ConnectedCB" | "ReconnectedCB";
}

interface Source {
  on<K extends keyof LinkEvents>(name: K, listener: (event: LinkEvents[K]) => void): () => void;
}

/** Calls the callbacks for what `source` tells. Resolves after the last one has run. */
export function queueCallbacks<NC>(
  nc: NC,
  source: Source,
  cb: NatsCallbacks<NC>,
  failed: (error: unknown) => void,
): Promise<void> {
  let tail = Promise.resolve();
  let everConnected = false;
  let silent = false;
  const enqueue = (call: (() => Called) | undefined): void => {
    if (call === undefined || silent) return;
    tail = tail.then(call).catch(failed);
  };
  source.on("connected", ({ attempts }) => {
    everConnected = true;
    const name = attempts > 1 ? (cb.RetriedFirstConnectIs ?? "ConnectedCB") : "ConnectedCB";
    enqueue(() => cb[name]?.(nc));
  });
  source.on("disconnected", ({ cause }) => {
    const asked = cause === undefined && cb.NoCallbacksAfterClientClose === true;
    if (asked) return;
    if (cb.DisconnectedErrCB !== undefined) enqueue(() => cb.DisconnectedErrCB?.(nc, cause));
    else enqueue(() => cb.DisconnectedCB?.(nc));
  });
  source.on("attemptFailed", ({ cause }) => enqueue(() => cb.ReconnectErrCB?.(nc, cause)));
  source.on("reconnected", () => enqueue(() => cb.ReconnectedCB?.(nc)));
  const known = new Set<string>();
  source.on("discovered", ({ added }) => {
    const joined = added.filter((server) => !known.has(server));
    for (const server of joined) known.add(server);
    if (everConnected && joined.length > 0) enqueue(() => cb.DiscoveredServersCB?.(nc));
  });
  source.on("lameDuck", () => enqueue(() => cb.LameDuckModeHandler?.(nc)));
  source.on("asyncError", ({ error }) => {
    const sub = error instanceof SlowConsumer ? error.subscription : undefined;
    enqueue(() => cb.AsyncErrorCB?.(nc, sub, error));
  });
  return new Promise((resolve) => {
    source.on("closed", ({ why }) => {
      const asked = why === "user" || why === "drained";
      if (!(asked && cb.NoCallbacksAfterClientClose === true)) enqueue(() => cb.ClosedCB?.(nc));
      silent = true;
      void tail.then(resolve);
    });
  });
}
