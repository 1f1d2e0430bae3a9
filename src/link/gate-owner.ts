import type { RetryBudget, RetryPolicy } from "../call/index.ts";
import type { LinkClass } from "./driver.ts";
import type { OutboxLimits } from "./outbox.ts";

export interface GateOptions {
  readonly outbox: OutboxLimits;
  readonly retry: RetryPolicy;
  readonly budget?: RetryBudget;
  /** Bytes submitted to a connection that the kernel has not taken; a call beyond it is refused. */
  readonly writeBufferBytes: number;
}

/** What the gate asks of its link. */
export interface GateOwner {
  /** A call waits: a lazy link dials now. */
  demand(): void;
  /** Nothing waits and nothing is in flight any more. */
  idle(): void;
  /** A call's reply taught something about the connection. */
  learned(linkClass: LinkClass, cause: unknown): void;
  /** A deadline passed with the call on the wire. */
  overdue(sentMs: number): void;
  /** A part of the driver threw where it must not. */
  driverThrew(error: unknown): void;
}
