import type { AcquireOptions, FaultProxy, StormServer } from "../../lab/index.ts";
import type { Resilience } from "../../observe/index.ts";
import type { ResilienceOptions } from "../../options/index.ts";

/**
 * A live link of the demo: a driver's real client, dialling a real server through a fault proxy. It is connected when
 * it is handed over.
 */
export interface DemoLink {
  /** The server and its version, for people. */
  readonly serverName: string;
  readonly server: StormServer;
  readonly proxy: FaultProxy;
  readonly resilience: Resilience;
  /** Applies the numbered write once; resolves when the server has acknowledged it. */
  write(id: number): Promise<unknown>;
  /** True for the server's own reply that it did not carry out a write. */
  isAnswer(error: unknown): boolean;
  /** What the server has, id → how often it was applied; asked past the proxy. */
  applied(): Promise<ReadonlyMap<number, number>>;
  /** Closes the client, then the proxy and the server; nothing is left. */
  stop(): Promise<void>;
}

/** What a link is started with. */
export interface DemoTerms {
  readonly seed: number;
  /** For the driver, as it is. */
  readonly resilience: ResilienceOptions;
  /** How long one write may take, waiting included. */
  readonly writeDeadlineMs: number;
  /** For `startServer`: how far it may go to get a server that is missing. */
  readonly acquire: AcquireOptions;
}

/** One row of the table of links. */
export interface DemoKind {
  /** The driver's name, as in `holdfast/<name>`. */
  readonly name: string;
  /** Rejects with `ServerUnavailable` when the server or its client library is not here: the demo goes on without. */
  start(terms: DemoTerms): Promise<DemoLink>;
}
