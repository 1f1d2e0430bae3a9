import type { HoldfastError } from "../call/index.ts";
import type { LinkEvents } from "./events.ts";
import type { CloseReason, LinkPhase } from "./phase.ts";

/** What is asked of a link by one who waits for it. */
export interface Awaited {
  readonly phase: LinkPhase;
  readonly why: CloseReason | undefined;
  closedError(): HoldfastError;
  on<K extends keyof LinkEvents>(name: K, listener: (event: LinkEvents[K]) => void): () => void;
}

/**
 * Settles at the next `ready`, at the end of the link, or when `signal` says so; a lazy link that sleeps is as ready as
 * it gets. Leaves no listener behind.
 */
export function whenReady(link: Awaited, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (link.phase === "ready" || link.phase === "dormant") return resolve();
    if (link.phase === "closing" || link.phase === "closed") return reject(link.closedError());
    if (signal?.aborted) return reject(signal.reason);
    const offs: (() => void)[] = [];
    const leave = (act: () => void): void => {
      for (const off of offs) off();
      act();
    };
    const ended = (): void => leave(() => reject(link.closedError()));
    const aborted = (): void => leave(() => reject(signal?.reason));
    signal?.addEventListener("abort", aborted);
    offs.push(
      () => signal?.removeEventListener("abort", aborted),
      link.on("connected", () => leave(resolve)),
      link.on("reconnected", () => leave(resolve)),
      link.on("closed", ended),
      // The owner's close ends every wait at once; a link that gave up says so when its last socket is gone.
      link.on("state", ({ to }) => {
        if (to === "closing" && link.why === "user") ended();
        else if (to === "dormant") leave(resolve);
      }),
    );
  });
}
