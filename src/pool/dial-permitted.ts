import type { DialEvidence, DialPermits, Permit } from "../link/index.ts";
import { type DialOneOptions, dialOne } from "./dial-one.ts";
import type { Limited } from "./limited.ts";

export interface PermittedDialOptions<C> extends DialOneOptions<C> {
  readonly permits: DialPermits;
  /** Whose permit it is: one queue for each endpoint, where the permits keep such. */
  readonly endpointId: string;
}

/** A dial that begins when it may. */
export interface PermittedDial extends Limited {
  /** Leaves the queue for a permit without a word; false when the dial has begun. */
  withdraw(): boolean;
}

/**
 * One dial, once the permits grant it; its deadline runs from then on. The permit is redeemed exactly once: with what
 * the dial taught, or unused. Neither `opened` nor `failed` is called before this returns.
 */
export function dialPermitted<C>(options: PermittedDialOptions<C>): PermittedDial {
  let dial: Limited | undefined;
  let isOver = false;
  let evidenceOfFailure: DialEvidence = "down";
  const permit: Permit = options.permits.request(options.endpointId, () => {
    if (isOver) return;
    dial = dialOne<C>({
      ...options,
      opened: (connection, watch) => {
        permit.yield("up");
        options.opened(connection, watch);
      },
      failed: (error) => {
        permit.yield(evidenceOfFailure);
        options.failed(error);
      },
    });
  });
  const withdraw = (): boolean => {
    if (dial !== undefined || isOver) return false;
    isOver = true;
    permit.yield("unused");
    return true;
  };
  return {
    withdraw,
    abort(reason) {
      evidenceOfFailure = "unused";
      if (dial !== undefined) dial.abort(reason);
      else if (withdraw()) options.failed(reason);
    },
  };
}
