/** Teaches the engine NATS. Kind *regulate*: the protocol handler outlives the sockets, the engine owns each dial. */
import type { CallDescription } from "../../call/index.ts";
import { endpointId } from "../../endpoint/index.ts";
import type { CallVerdict, Driver, LinkClass } from "../../link/index.ts";
import type { Clock } from "../../time/index.ts";
import type { Physical } from "./physical.ts";
import type { RegulatedProtocol } from "./protocol.ts";
import { isAuthError } from "./server-errors.ts";

export interface NatsDriverOptions {
  readonly clock: Clock;
  /** The same refusal twice in a row from one server is the end, as in nats.go. */
  readonly authAbort: boolean;
}

export function natsDriver(
  protocol: () => RegulatedProtocol,
  { clock, authAbort }: NatsDriverOptions,
): Driver<Physical> {
  const refusals = new Map<string, string>();
  const final = new WeakSet<object>();
  /** The last loss: when, and which subscriptions were in force. */
  let loss: { readonly atMs: number; readonly held: ReadonlySet<unknown> } | undefined;

  function noteRefusal(endpoint: string, error: unknown): void {
    if (!isAuthError(error)) return;
    if (authAbort && refusals.get(endpoint) === error.message) final.add(error);
    refusals.set(endpoint, error.message);
  }

  return {
    name: "nats",
    async open(dial) {
      const endpoint = endpointId(dial.endpoint);
      try {
        const physical = await protocol().open(dial);
        refusals.delete(endpoint);
        return physical;
      } catch (error) {
        noteRefusal(endpoint, error);
        throw error;
      }
    },
    async restore(physical) {
      const restored = protocol().resume(physical);
      if (loss !== undefined) tellGaps(protocol(), physical, loss.held, clock.nowMs() - loss.atMs);
      loss = undefined;
      return { restored };
    },
    probesWhileBusy: true,
    probe: (physical) => protocol().confirm(physical),
    takeBack(physical) {
      loss = { atMs: clock.nowMs(), held: new Set(protocol().subscriptions.all()) };
      protocol().suspend(physical);
    },
    async close(physical, how, deadlineMs) {
      if (how === "graceful") await inTime(clock, deadlineMs, protocol().confirm(physical));
      protocol().end(physical);
      const { count, bytes } = physical.unconfirmed;
      if (count > 0) physical.dial.sink.unconfirmed({ count, bytes });
    },
    bufferedBytes: (physical) => physical.transport.bufferedBytes,
    classifyLink: (error): LinkClass => {
      if (typeof error === "object" && error !== null && final.has(error)) return "fatal";
      return isAuthError(error) ? "auth" : "transient";
    },
    classifyCall: (_error, { lost }, call: CallDescription): CallVerdict =>
      lost ? { outcome: call.effect === "read" ? "not-applied" : "maybe-applied" } : "answered",
  };
}

/** One made while down has missed nothing that it was ever going to get. */
function tellGaps(
  protocol: RegulatedProtocol,
  physical: Physical,
  held: ReadonlySet<unknown>,
  downMs: number,
): void {
  const mux = protocol.subscriptions.getMux();
  for (const sub of protocol.subscriptions.all()) {
    if (sub !== mux && held.has(sub)) physical.dial.sink.gap({ subscription: sub.subject, downMs });
  }
}

/** Resolves when the promise settles or the time is over. */
export async function inTime(clock: Clock, deadlineMs: number, promise: Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = clock.setTimer(deadlineMs, resolve);
    promise
      .catch(() => {})
      .finally(() => {
        timer.cancel();
        resolve();
      });
  });
}
