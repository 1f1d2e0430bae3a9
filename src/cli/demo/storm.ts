/** The storm: what is done to every link, and when. A plan is a plain value that follows from its arguments. */
import type { StormFault } from "../../lab/index.ts";
import { seededRandom, shuffled, uniform } from "../../time/index.ts";

export interface Act {
  readonly fault: StormFault;
  readonly atMs: number;
  readonly durationMs: number;
}

interface Role {
  readonly fault: StormFault;
  /** Marks it on the timeline. */
  readonly letter: string;
  readonly label: string;
  /** Its share of the time. */
  readonly weight: number;
  /** How long it holds at most; 0 for what is over at once. */
  readonly longestMs: number;
}

/** In the order of the first round, which tells a story. Later rounds are shuffled. */
const roles: readonly Role[] = [
  { fault: "rst", letter: "R", label: "connections reset (RST)", weight: 2, longestMs: 0 },
  { fault: "fin", letter: "F", label: "connections closed (FIN)", weight: 2, longestMs: 0 },
  {
    fault: "black-hole-up",
    letter: "B",
    label: "black hole: what we send vanishes",
    weight: 4,
    longestMs: 2_600,
  },
  {
    fault: "accept-then-drop",
    letter: "D",
    label: "accept-then-drop: connects succeed, then die",
    weight: 4,
    longestMs: 1_200,
  },
  {
    fault: "black-hole-down",
    letter: "A",
    label: "answers lost: writes arrive, replies vanish",
    weight: 4,
    longestMs: 2_600,
  },
  { fault: "kill-9", letter: "K", label: "server killed (kill -9), restarted", weight: 4, longestMs: 1_200 },
];

const roleOf = new Map(roles.map((role) => [role.fault, role]));

/** One letter, for a timeline. */
export function letterOf(fault: StormFault): string {
  return roleOf.get(fault)?.letter ?? "?";
}

/** What the letters of a storm mean. */
export function legendOf(acts: readonly Act[]): string {
  const present = new Set(acts.map(({ fault }) => fault));
  return roles
    .filter(({ fault }) => present.has(fault))
    .map(({ fault, letter }) => `${letter} ${fault}`)
    .join("  ");
}

export function labelOf(fault: StormFault): string {
  return roleOf.get(fault)?.label ?? fault;
}

/** The links run undisturbed before and after the storm, for these shares of the time. */
const CALM_BEFORE = 0.07;
const CALM_AFTER = 0.1;
/** A longer storm comes in rounds of about this length. */
const ROUND_MS = 40_000;
/** The share of its slot that a lasting fault holds. */
const HOLD_SHARE = 0.5;

/** When each fault comes in a demo of `totalMs`; the same for the same seed. */
export function planStorm(totalMs: number, seed: number): Act[] {
  const random = seededRandom(seed);
  const stormMs = totalMs * (1 - CALM_BEFORE - CALM_AFTER);
  const rounds = Math.max(1, Math.round(stormMs / ROUND_MS));
  const weights = roles.reduce((sum, role) => sum + role.weight, 0);
  const acts: Act[] = [];
  let slotStartMs = totalMs * CALM_BEFORE;
  for (let round = 0; round < rounds; round++) {
    for (const { fault, weight, longestMs } of round === 0 ? roles : shuffled(random, roles)) {
      const slotMs = ((stormMs / rounds) * weight) / weights;
      const durationMs = Math.min(longestMs, slotMs * HOLD_SHARE);
      const atMs = slotStartMs + uniform(random, 0, slotMs * 0.2);
      acts.push({ fault, atMs: Math.round(atMs), durationMs: Math.round(durationMs) });
      slotStartMs += slotMs;
    }
  }
  return acts;
}
