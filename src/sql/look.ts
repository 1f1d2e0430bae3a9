/** Whether a server can be used: a connection that nobody will use tells. */
import type { Endpoint } from "../endpoint/index.ts";
import type { DialPermits, Permit } from "../link/index.ts";
import type { World } from "../time/index.ts";

/** A goodbye that takes longer is cut short. */
const goodbyeMs = 1_000;

export interface Placed {
  readonly endpoint: Endpoint;
  end(): Promise<void>;
  destroy(): void;
}

export interface LookOptions<C extends Placed> {
  readonly world: World;
  /** How long the dial may take, ms. */
  readonly limitMs: number;
  /** Who may dial when. */
  readonly permits: DialPermits;
  /** Whose dials these are, for the permits. */
  readonly name: string;
  dial(endpoint: Endpoint, signal: AbortSignal, asPrimary: boolean): Promise<C>;
}

/** Dials once and hangs up. Never rejects; with an aborted signal the answer means nothing. */
export async function lookAt<C extends Placed>(
  endpoint: Endpoint,
  signal: AbortSignal,
  asPrimary: boolean,
  options: LookOptions<C>,
): Promise<boolean> {
  const { world, limitMs, permits, name } = options;
  const permit = await granted(permits, name, signal);
  if (permit === undefined) return false;
  const limit = new AbortController();
  const leave = (): void => limit.abort(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  const tooLong = (): void => limit.abort(new Error(`no connection within ${limitMs} ms`));
  // A limit that is no number of milliseconds is none.
  const timer = Number.isFinite(limitMs)
    ? world.clock.setTimer(limitMs, tooLong, { unref: true })
    : undefined;
  try {
    if (signal.aborted) return false;
    const connection = await options.dial(endpoint, limit.signal, asPrimary);
    await goodbye(connection, world);
    return true;
  } catch {
    return false;
  } finally {
    permit.yield("unused"); // the pool's own dials tell what is known of its servers
    timer?.cancel();
    signal.removeEventListener("abort", leave);
  }
}

/** A right to dial; `undefined` when the signal was aborted before it came. */
function granted(permits: DialPermits, name: string, signal: AbortSignal): Promise<Permit | undefined> {
  return new Promise((resolve) => {
    const abort = (): void => {
      permit.yield("unused");
      resolve(undefined);
    };
    signal.addEventListener("abort", abort, { once: true });
    // The right may come before `request` returns.
    const permit = permits.request(name, () =>
      queueMicrotask(() => {
        signal.removeEventListener("abort", abort);
        resolve(permit);
      }),
    );
  });
}

async function goodbye(connection: Placed, { clock }: World): Promise<void> {
  const hard = clock.setTimer(goodbyeMs, () => connection.destroy(), { unref: true });
  await connection.end().catch(() => {});
  hard.cancel();
}
