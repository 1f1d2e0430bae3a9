import type { CoarseTimers, World } from "../time/index.ts";
import type { Connector } from "./connector.ts";
import { tookTooLong } from "./errors.ts";
import { type Limited, limited } from "./limited.ts";

/** What the connector tells of a connection later on; buffered until somebody listens. */
export class Watch {
  onLost: ((cause: unknown) => void) | undefined = undefined;
  onLeaving: (() => void) | undefined = undefined;
  lostCause: { readonly cause: unknown } | undefined = undefined;
  left = false;

  lost(cause: unknown): void {
    if (this.lostCause !== undefined) return;
    this.lostCause = { cause };
    this.onLost?.(cause);
  }

  leaving(): void {
    if (this.left || this.lostCause !== undefined) return;
    this.left = true;
    this.onLeaving?.();
  }
}

export interface DialOneOptions<C> {
  readonly connector: Connector<C>;
  readonly timers: CoarseTimers;
  readonly world: World;
  readonly connectTimeoutMs: number;
  readonly attempt: number;
  readonly opened: (connection: C, watch: Watch) => void;
  readonly failed: (error: unknown) => void;
  /** Gets a connection that nobody wants any more. */
  readonly drop: (connection: C) => void;
}

/** One dial with its deadline. A connection that comes too late, or is already lost, is closed. */
export function dialOne<C>(options: DialOneOptions<C>): Limited {
  const { connector, world, attempt, connectTimeoutMs } = options;
  const watch = new Watch();
  return limited<C>({
    timers: options.timers,
    limitMs: connectTimeoutMs,
    timeoutError: () => tookTooLong("dial", connectTimeoutMs),
    work: (signal) =>
      // A dial serves the pool, not the caller whose request happened to start it.
      world.detach(() =>
        connector.open({
          signal,
          attempt,
          lost: (cause) => watch.lost(cause),
          leaving: () => watch.leaving(),
        }),
      ),
    done: (connection) => {
      if (watch.lostCause === undefined) return options.opened(connection, watch);
      options.drop(connection);
      options.failed(watch.lostCause.cause);
    },
    failed: options.failed,
    late: options.drop,
  });
}
