/** What a caller holds of a fault in force. */
import type { Grip } from "./grip.ts";

/** What a fault has done to one connection. */
export interface FaultHit extends Readonly<Grip> {
  readonly connection: number;
}

/** A fault in force. `await using` undoes it at the end of the block. */
export interface FaultHandle extends AsyncDisposable {
  readonly label: string;
  readonly active: boolean;
  /** Whom it has hit so far. */
  readonly hits: readonly FaultHit[];
  /** Resolves when the fault was undone, by `undo()`, its `durationMs` or the end of the proxy. */
  readonly undone: Promise<void>;
  /** Resolves when everything is as if the fault had not been applied (what it broke stays broken). Idempotent. */
  undo(): Promise<void>;
}
