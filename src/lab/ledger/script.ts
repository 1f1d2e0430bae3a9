/** Storms as data: which fault, for how long, and how much calm after it. The same seed gives the same storm. */
import { seededRandom, shuffled, uniform } from "../../time/index.ts";

/**
 * - `rst`, `fin`: every connection is ended once.
 * - `refuse`: connections are ended and new ones refused.
 * - `black-hole-up` / `-down`: nothing passes in that direction; the close is not heard either.
 * - `accept-then-drop`: connections are ended, new ones accepted and reset.
 * - `kill-9`: the server is killed, and restarted on the same port.
 * - `pause`: the server is frozen (SIGSTOP); the kernel goes on accepting.
 */
export type StormFault =
  | "rst"
  | "fin"
  | "refuse"
  | "black-hole-up"
  | "black-hole-down"
  | "accept-then-drop"
  | "kill-9"
  | "pause";

export const stormFaults: readonly StormFault[] = [
  "rst",
  "black-hole-down",
  "kill-9",
  "accept-then-drop",
  "black-hole-up",
  "fin",
  "refuse",
  "pause",
];

export interface StormStep {
  readonly fault: StormFault;
  /** How long the fault is in force. */
  readonly holdMs: number;
  /** Time without faults after it healed. */
  readonly calmMs: number;
}

export interface StormScriptOptions {
  readonly seed: number;
  /** How long the script takes if healing took no time. */
  readonly durationMs: number;
  /** Default: all of them. */
  readonly faults?: readonly StormFault[];
  /** Bounds of `holdMs`. Default 300 to 1,500. */
  readonly holdMs?: readonly [number, number];
  /** Bounds of `calmMs`. Default 500 to 1,500. */
  readonly calmMs?: readonly [number, number];
}

/** Every fault once in random order, then again in another order, until the time is used up. At least one step. */
export function stormScript(options: StormScriptOptions): readonly StormStep[] {
  const random = seededRandom(options.seed);
  const faults = options.faults ?? stormFaults;
  const [holdLow, holdHigh] = options.holdMs ?? [300, 1_500];
  const [calmLow, calmHigh] = options.calmMs ?? [500, 1_500];
  const steps: StormStep[] = [];
  let order: StormFault[] = [];
  for (let usedMs = 0; usedMs < options.durationMs || steps.length === 0; ) {
    if (order.length === 0) order = shuffled(random, faults);
    const fault = order.shift() as StormFault;
    const step = {
      fault,
      holdMs: Math.round(uniform(random, holdLow, holdHigh)),
      calmMs: Math.round(uniform(random, calmLow, calmHigh)),
    };
    steps.push(step);
    usedMs += step.holdMs + step.calmMs;
  }
  return steps;
}
