import type { LinkClass } from "./driver.ts";
import type { CloseReason, LinkPhase } from "./phase.ts";

/** Everything a link tells. Listeners run after the state has changed; `on` returns what removes the listener. */
export interface LinkEvents {
  /** Any change of phase. */
  state: { readonly from: LinkPhase; readonly to: LinkPhase };
  /** An attempt begins. */
  attempt: { readonly endpoint: string; readonly attempt: number; readonly epoch: number };
  /** An attempt failed; `nextDelayMs` is what follows, `undefined` when the link gives up, or sleeps until asked. */
  attemptFailed: {
    readonly endpoint: string;
    readonly attempt: number;
    readonly cause: unknown;
    readonly linkClass: LinkClass;
    readonly nextDelayMs: number | undefined;
  };
  /** The first `ready`. */
  connected: { readonly endpoint: string; readonly attempts: number; readonly tookMs: number };
  /** A ready connection ended. `cause` is `undefined` when its owner closed it. */
  disconnected: { readonly endpoint: string; readonly cause: unknown; readonly upMs: number };
  /** Ready again after a loss. */
  reconnected: { readonly endpoint: string; readonly attempts: number; readonly downMs: number };
  /** The end: last, once. */
  closed: { readonly why: CloseReason; readonly cause: unknown };
  /** Parts of the session that the server refused. */
  restoreRefused: { readonly items: readonly { readonly item: string; readonly reason: string }[] };
  discovered: { readonly added: readonly string[]; readonly removed: readonly string[] };
  asyncError: { readonly error: unknown };
  lameDuck: { readonly endpoint: string; readonly detail: string | undefined };
  unconfirmed: { readonly count: number; readonly bytes: number };
  gap: { readonly subscription: string; readonly downMs: number };
  /** The peer stopped answering and the connection was given up for it. */
  halfOpen: { readonly endpoint: string; readonly silentMs: number };
}
