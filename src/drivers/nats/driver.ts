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
  let lostMs: number | undefined;

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
      if (lostMs !== undefined) tellGaps(protocol(), physical, clock.nowMs() - lostMs);
      lostMs = undefined;
      return { restored };
    },
    probesWhileBusy: true,
    probe: (physical) => protocol().confirm(physical),
    takeBack(physical) {
      lostMs = clock.nowMs();
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

function tellGaps(protocol: RegulatedProtocol, physical: Physical, downMs: number): void {
  const mux = protocol.subscriptions.getMux();
  for (const sub of protocol.subscriptions.all()) {
    if (sub !== mux) physical.dial.sink.gap({ subscription: sub.subject, downMs });
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
