import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { exponential } from "../curves.ts";
import { take } from "../limits.ts";
import { byIndex } from "../unfold.ts";
import { type Preset, preset } from "./preset.ts";

const partysocket = {
  minReconnectionDelayMs: 3000,
  maxReconnectionDelayMs: 10_000,
  reconnectionDelayGrowFactor: 1.3,
};
const graphqlWs = { baseMs: 1000, factor: 2, jitterMinMs: 300, jitterMaxMs: 3000, retryAttempts: 5 };
const undici = { minTimeoutMs: 500, timeoutFactor: 2, maxTimeoutMs: 30_000, maxRetries: 5 };

/** partysocket's curve; reconnecting-websocket, which it continues, draws its minimum (1…5 s) once per process. */
export function partysocketBackoff(
  minReconnectionDelayMs: number = partysocket.minReconnectionDelayMs,
): Backoff {
  check.positiveDelay("minReconnectionDelayMs", minReconnectionDelayMs);
  return exponential({
    baseMs: minReconnectionDelayMs,
    factor: partysocket.reconnectionDelayGrowFactor,
    capMs: Math.max(minReconnectionDelayMs, partysocket.maxReconnectionDelayMs),
  });
}

/** 2ⁿ s + a whole 300…2,999 ms, without the limit of attempts. */
export function graphqlWsBackoff(): Backoff {
  const { baseMs, factor, jitterMinMs, jitterMaxMs } = graphqlWs;
  const widthMs = jitterMaxMs - jitterMinMs;
  return byIndex(
    "graphql-ws 1 s ×2; + 0.3…3 s",
    (n, random) => baseMs * factor ** n + Math.floor(random.next() * widthMs + jitterMinMs),
  );
}

export const webPresets: readonly Preset[] = [
  preset({
    name: "partysocket",
    describe: "3 s × 1.3 to 10 s, no jitter, for ever",
    source: "partysocket 1.3.0 dist/ws.js",
    constants: partysocket,
    backoff: partysocketBackoff(),
  }),
  preset({
    name: "graphql-ws",
    describe: "1 s doubled, plus 0.3…3 s; gives up after 5 attempts (31 to 46 s)",
    source: "graphql-ws 6.4.2 dist/client.js retryWait",
    constants: graphqlWs,
    backoff: take(graphqlWsBackoff(), graphqlWs.retryAttempts),
  }),
  preset({
    name: "undici",
    describe: "RetryHandler: 500 ms doubled to 30 s, no jitter, five retries",
    source: "undici 7.30.2 lib/handler/retry-handler.js",
    constants: undici,
    backoff: take(
      exponential({ baseMs: undici.minTimeoutMs, capMs: undici.maxTimeoutMs }),
      undici.maxRetries,
    ),
  }),
];
