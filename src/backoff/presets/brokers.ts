import type { Backoff } from "../backoff.ts";
import { constant } from "../curves.ts";
import { byIndex } from "../unfold.ts";
import { type Preset, preset } from "./preset.ts";

const mqtt = { reconnectPeriodMs: 1000 };
const manager = { reconnectTimeMs: 5000 };
const amqplib = { initialDelayMs: 100, maxDelayMs: 30_000, factor: 2, jitter: 0.2 };

/** The curve stops at max ÷ (1 + jitter), so that the jitter ends at the maximum without a clamp. */
function amqplibBackoff(): Backoff {
  const { initialDelayMs, maxDelayMs, factor, jitter } = amqplib;
  const cappedMs = maxDelayMs / (1 + jitter);
  return byIndex("amqplib 100 ms ×2; ±20 %; at most 30 s", (n, random) => {
    const baseMs = Math.min(cappedMs, initialDelayMs * factor ** n);
    return Math.max(0, Math.round(baseMs + (2 * random.next() - 1) * jitter * baseMs));
  });
}

export const brokerPresets: readonly Preset[] = [
  preset({
    name: "mqtt",
    describe: "every second, no jitter, for ever",
    source: "mqtt 5.16.0 reconnectPeriod; dial times measured",
    constants: mqtt,
    backoff: constant(mqtt.reconnectPeriodMs),
  }),
  preset({
    name: "amqp-connection-manager",
    describe: "every 5 s (its heartbeat interval), no jitter, for ever",
    source: "amqp-connection-manager 5.0.0",
    constants: manager,
    backoff: constant(manager.reconnectTimeMs),
  }),
  preset({
    name: "amqplib",
    describe:
      "its opt-in recovery: 100 ms doubled to 25 s, ±20 %, never above 30 s and jittered there; for ever",
    source: "amqplib 2.3.1 lib/recovery.js; dial times measured",
    constants: amqplib,
    backoff: amqplibBackoff(),
  }),
];
