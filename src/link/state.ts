import type { Schedule } from "../backoff/index.ts";
import type { Candidate, Endpoint, EndpointSet } from "../endpoint/index.ts";
import type { LinkClass } from "./driver.ts";
import type { LinkEvents } from "./events.ts";
import type { CloseReason, LinkPhase } from "./phase.ts";
import type { LinkPolicy } from "./policy.ts";

/** From a loss, or the first dial, to `ready` or giving up. */
export interface Episode {
  readonly kind: "first" | "loss";
  readonly startedMs: number;
  readonly attempts: number;
  /** The owner asked for it: with reconnecting off it gets one round. */
  readonly forced: boolean;
  /** Draws from the schedule so far. */
  readonly slots: number;
  /** Why the link was lost; `undefined` for a first connect. */
  readonly lossCause: unknown;
  /** The last failure of each endpoint in this episode. */
  readonly failures: ReadonlyMap<string, unknown>;
  /** The delay that refused credentials ask for before the next round. */
  readonly authDelayMs: number;
}

export interface LinkState {
  readonly policy: LinkPolicy;
  readonly phase: LinkPhase;
  /** When the phase began. */
  readonly sinceMs: number;
  /** The newest physical connection; events of older ones change nothing. */
  readonly epoch: number;
  readonly endpoints: EndpointSet;
  readonly episode: Episode | undefined;
  /** What is left of the backoff; kept across a short-lived connection, so that accept-then-drop backs off. */
  readonly schedule: Schedule;
  readonly authSchedule: Schedule;
  readonly authFailures: number;
  /** Attempts up to the last `ready`; they go on counting when it did not last. */
  readonly attemptsSoFar: number;
  /** The endpoint dialled, restored or in use. */
  readonly current: Candidate | undefined;
  /** The endpoint that comes next, while waiting or parked. */
  readonly next: Candidate | undefined;
  /** When the next attempt is due, while waiting. */
  readonly dueMs: number;
  readonly readySinceMs: number;
  readonly everReady: boolean;
  readonly draining: boolean;
  /** The session as it stands; a restore of an older version is run again. */
  readonly sessionVersion: number;
  /** Epochs given up of which something may be left; `closed` comes after the last of them. */
  readonly releasing: readonly number[];
  readonly why: CloseReason | undefined;
  readonly closeCause: unknown;
}

export type LinkEvent =
  | { readonly type: "start" }
  | { readonly type: "demand" }
  | { readonly type: "granted" }
  /** `cause` says which step a dial or restore was in when its deadline passed. */
  | {
      readonly type: "timer";
      readonly name: TimerName;
      readonly cause?: unknown;
      readonly pending?: number;
    }
  /** Whoever gives permits could not be asked for one. */
  | { readonly type: "permitFailed"; readonly cause: unknown; readonly pending?: number }
  | { readonly type: "dialed"; readonly epoch: number }
  | { readonly type: "restored"; readonly epoch: number; readonly version: number }
  | {
      readonly type: "failed";
      readonly epoch: number;
      readonly linkClass: LinkClass;
      readonly cause: unknown;
      /** Calls waiting: a lazy link with none sleeps instead of trying again. Not given = there may be some. */
      readonly pending?: number;
    }
  | {
      readonly type: "lost";
      readonly epoch: number;
      readonly linkClass: LinkClass;
      readonly cause: unknown;
      /** Calls waiting or about to wait: a lazy link with none goes dormant. */
      readonly pending: number;
    }
  | { readonly type: "sessionChanged"; readonly version: number }
  | { readonly type: "discovered"; readonly endpoints: readonly Endpoint[] }
  /** The owner gives other endpoints. */
  | {
      readonly type: "replaced";
      readonly endpoints: readonly Endpoint[];
      readonly order: "shuffled" | "given";
    }
  | { readonly type: "reconnectNow"; readonly pending: number }
  | { readonly type: "failover"; readonly pending: number }
  | { readonly type: "wake"; readonly endpointId?: string }
  | { readonly type: "drain"; readonly pending: number; readonly deadlineMs: number }
  | { readonly type: "inFlightZero" }
  /** When and how often to dial, from now on; a wait under way keeps its end. */
  | { readonly type: "policy"; readonly policy: LinkPolicy }
  | { readonly type: "close" }
  | { readonly type: "connectionClosed"; readonly epoch: number };

/** One timer per name; setting it again replaces it. */
export type TimerName = "phase" | "drain";

export type LinkEffect =
  | { readonly type: "requestPermit"; readonly endpointId: string }
  | { readonly type: "yieldPermit"; readonly evidence: "up" | "down" | "unused" }
  | { readonly type: "setTimer"; readonly name: TimerName; readonly delayMs: number }
  | { readonly type: "cancelTimer"; readonly name: TimerName }
  | {
      readonly type: "dial";
      readonly epoch: number;
      readonly endpoint: Endpoint;
      readonly attempt: number;
    }
  | { readonly type: "restore"; readonly epoch: number }
  /** Ends an attempt or a late success of this epoch: abort the dial, close what came of it. */
  | { readonly type: "discard"; readonly epoch: number }
  | { readonly type: "openGate"; readonly epoch: number }
  /** Calls in flight are settled by evidence; must be carried out before `closeConnection`. */
  | { readonly type: "shutGate"; readonly epoch: number; readonly cause: unknown; readonly byUser: boolean }
  | { readonly type: "drainGate" }
  | {
      readonly type: "closeConnection";
      readonly epoch: number;
      readonly how: "graceful" | "abrupt";
      readonly deadlineMs: number;
    }
  /** Every waiting call fails; the link is over. */
  | { readonly type: "failWaiting"; readonly why: CloseReason; readonly cause: unknown }
  | { readonly type: "emit"; readonly event: EmitEffect };

export type EmitEffect = {
  [K in keyof LinkEvents]: { readonly name: K; readonly data: LinkEvents[K] };
}[keyof LinkEvents];
