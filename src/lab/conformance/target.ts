/** What the suite needs of a driver and its server. A new driver is one file in `targets/`. */

import type { Resilience } from "../../observe/index.ts";
import type { ResilienceOptions } from "../../options/index.ts";
import type { RollingResult, StormServer } from "../ledger/index.ts";
import type { Upstream } from "../proxy/index.ts";

/** A server that the driver talks to, on loopback. */
export interface TargetServer extends StormServer, AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Shown in the report, such as `redis 7.0.15`. */
  readonly description: string;
  readonly running: boolean;
  /** Connections held at the server's side now. */
  connectionCount(): Promise<number>;
  /** Id → how often it was applied; read past the driver. */
  audit(): Promise<ReadonlyMap<number, number>>;
  /** Asks for new credentials from now on and ends every connection. */
  rotateCredentials?(): Promise<void>;
}

export interface OpenOptions {
  /** Where to dial, in this order. */
  readonly endpoints: readonly Upstream[];
  readonly resilience: ResilienceOptions;
  /** Time a call may take, waiting included. Default: none. */
  readonly callDeadlineMs?: number;
  /** Leave out a handshake that the adapter adds of its own. */
  readonly noGreeting?: boolean;
  /** Credentials the server does not know. */
  readonly wrongCredentials?: boolean;
}

/** One client made by the driver. */
export interface TargetClient {
  readonly resilience: Resilience;
  connect(signal?: AbortSignal): Promise<unknown>;
  /** Applies this id once at the server; must never be sent twice. */
  write(id: number): Promise<unknown>;
  /** Asks something that changes nothing. */
  read(): Promise<unknown>;
  close(): Promise<unknown>;
  /** Puts something into the session; what it returns tells whether the connection in use still has it. */
  holdSession?(): Promise<() => Promise<boolean>>;
  /** True for the server's own "no". */
  isAnswer?(error: unknown): boolean;
}

/** What a driver can't have, with the reason; a case that needs it is then skipped. */
export interface Lacks {
  /** A handshake: bytes from the server before the connection is ready. */
  readonly handshake?: string;
  readonly credentials?: string;
  readonly session?: string;
  /** Replies that the driver itself matches with their calls. */
  readonly replies?: string;
}

export interface RollingTrial {
  readonly rounds: number;
  readonly perSecond: number;
  /** Another server of the table than the usual one. */
  readonly server?: string;
  readonly onRestarted?: (label: string, tookMs: number) => void;
}

export interface RollingReport extends RollingResult {
  /** Shown in the report. */
  readonly server: string;
}

export interface ConformanceTarget {
  /** The driver's name, as in `holdfast/<name>`. */
  readonly driver: string;
  readonly lacks: Lacks;
  /**
   * What this driver's runs can prove: letters of SOURCES and names of checklists (`["R", "mariadb-redis"]`). A Redis
   * run proves nothing about NATS.
   */
  readonly proves: readonly string[];
  /**
   * Writes a second in the ledger, default 200. Fewer where one connection carries one write at a time, and each waits for
   * the disk: what piled up during a fault must be gone soon after it.
   */
  readonly writesPerSecond?: number;
  /** Starts a server that acknowledges only what survives a kill. */
  startServer(): Promise<TargetServer>;
  /** The same target on another server of the lab's table; `undefined` for one that the driver can't talk to. */
  withServer?(name: string): ConformanceTarget | undefined;
  /** Makes a client; dials nothing. */
  open(options: OpenOptions): TargetClient;
  /** Ledger trials over rolling restarts of the driver's cluster, by what acknowledges a write. */
  readonly rolling?: Readonly<Record<string, (options: RollingTrial) => Promise<RollingReport>>>;
}

/** Failing for the reason that the machine has no such server or no such fault: a skip, not a failure. */
export class Skip extends Error {}
