import { uniform } from "../../time/index.ts";
import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { unfold } from "../unfold.ts";
import { formatMs } from "../units.ts";
import { type Preset, preset } from "./preset.ts";

export interface GrpcOptions {
  /** INITIAL_BACKOFF, ms. Default 1,000. */
  readonly initialMs?: number;
  /** MULTIPLIER. Default 1.6. */
  readonly multiplier?: number;
  /** MAX_BACKOFF, ms, before the jitter. Default 120,000. */
  readonly maxMs?: number;
  /** JITTER, a share. Default 0.2. */
  readonly jitter?: number;
}

export const grpcDefaults: Required<GrpcOptions> = {
  initialMs: 1000,
  multiplier: 1.6,
  maxMs: 120_000,
  jitter: 0.2,
};

/**
 * connection-backoff.md: the first wait is exactly the initial one, each later one 1.6 times the last *unjittered*
 * one up to the maximum, then ±20 % (so up to 144 s). The specification counts it from the start of the attempt.
 */
export function grpcBackoff(options: GrpcOptions = {}): Backoff {
  const { initialMs, multiplier, maxMs, jitter } = settings("grpcBackoff", options);
  const description = `gRPC ${formatMs(initialMs)} ×${multiplier}, cap ${formatMs(maxMs)}; then ±${jitter * 100} %`;
  return unfold(description, 0, (currentMs, random) => {
    if (currentMs === 0) return { delayMs: initialMs, state: initialMs };
    const nextMs = Math.min(currentMs * multiplier, maxMs);
    return { delayMs: nextMs + uniform(random, -jitter * nextMs, jitter * nextMs), state: nextMs };
  });
}

/** grpc-js: the next wait grows from the *jittered* last one, so the jitter compounds. */
export function grpcJsBackoff(options: GrpcOptions = {}): Backoff {
  const { initialMs, multiplier, maxMs, jitter } = settings("grpcJsBackoff", options);
  const description = `grpc-js ${formatMs(initialMs)} ×${multiplier}, cap ${formatMs(maxMs)}; ±${jitter * 100} % compounding`;
  return unfold(description, 0, (lastMs, random) => {
    if (lastMs === 0) return { delayMs: initialMs, state: initialMs };
    const grownMs = Math.min(lastMs * multiplier, maxMs);
    const delayMs = grownMs + uniform(random, -jitter * grownMs, jitter * grownMs);
    return { delayMs, state: delayMs };
  });
}

function settings(what: string, options: GrpcOptions): Required<GrpcOptions> {
  check.keys(what, options, Object.keys(grpcDefaults));
  const all = { ...grpcDefaults, ...options };
  check.positiveDelay("initialMs", all.initialMs);
  check.number("multiplier", all.multiplier, { min: 1 });
  check.positiveDelay("maxMs", all.maxMs);
  check.number("jitter", all.jitter, { max: 1 });
  return all;
}

const constants = { ...grpcDefaults };

export const grpcPresets: readonly Preset[] = [
  preset({
    name: "grpc",
    describe: "the specification: 1 s, then ×1.6 to 120 s, ±20 % after the cap; for ever",
    source: "grpc/grpc doc/connection-backoff.md",
    constants,
    backoff: grpcBackoff(),
  }),
  preset({
    name: "grpc-js",
    describe: "the specification's constants with a compounding jitter",
    source: "@grpc/grpc-js 1.14.7 build/src/backoff-timeout.js; simulated and measured",
    constants,
    defects: [
      "each wait grows from the jittered last one: the ninth is 10.5…134 s where the specification has 34.4…51.5 s",
    ],
    corrected: "grpc",
    backoff: grpcJsBackoff(),
  }),
];
