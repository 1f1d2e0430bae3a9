/**
 * What this driver uses of pg, the inside included. The library's types are those of its public face; what is named
 * here beyond it is checked before anything is dialled (`internals.ts`).
 */
import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import pg from "pg";

export type Callback = (error: unknown, result?: unknown) => void;

/** Anything the library's client sends: its own Query, a cursor, a stream, a COPY. */
export interface Submittable {
  submit(connection: LibrarySocket): unknown;
  handleError(error: unknown, connection: LibrarySocket): void;
  handleReadyForQuery(connection: LibrarySocket): void;
  callback?: Callback | undefined;
  text?: unknown;
}

/** The library's own Query. */
export interface LibraryQuery extends Submittable, EventEmitter {
  text: unknown;
  values: unknown;
  name: string | undefined;
  types: unknown;
  _rowMode: unknown;
  _result: LibraryResult;
  _results: unknown;
  _canceledDueToError: unknown;
}

export interface LibraryResult {
  _types?: unknown;
  readonly command?: string;
}

/** The library's `Connection`: the protocol on one socket. */
export interface LibrarySocket extends EventEmitter {
  stream: Socket;
  parsedStatements: Record<string, string | undefined>;
  submittedNamedStatements: Record<string, string | undefined>;
  ref(): void;
  unref(): void;
  end(): void;
}

export interface ConnectionParameters {
  readonly user: unknown;
  readonly database: unknown;
  readonly port: number;
  readonly host: string;
  readonly password: unknown;
  readonly ssl: unknown;
  readonly sslnegotiation: unknown;
  readonly options: unknown;
  readonly client_encoding: unknown;
  readonly replication: unknown;
  readonly application_name: unknown;
  readonly fallback_application_name: unknown;
  readonly statement_timeout: unknown;
  readonly lock_timeout: unknown;
  readonly idle_in_transaction_session_timeout: unknown;
  query_timeout: unknown;
  readonly binary: unknown;
}

export interface LibraryClient extends EventEmitter {
  readonly connectionParameters: ConnectionParameters;
  readonly connection: LibrarySocket;
  readonly pipeline: boolean;
  processID: number | null;
  secretKey: unknown;
  _types: unknown;
  _ending: boolean;
  _ended: boolean;
  _queryable: boolean;
  _activeQuery: Submittable | null | undefined;
  readonly _queryQueue: Submittable[];
  readonly _sentQueryQueue: Submittable[];
  _pulseQueryQueue(): void;
  _errorAllQueries(error: unknown): void;
  _handleReadyForQuery(message: { readonly status?: string } | undefined): void;
  _handleErrorMessage(message: unknown): void;
  connect(callback?: Callback): unknown;
  query(config: unknown, values?: unknown, callback?: unknown): unknown;
  end(callback?: () => void): unknown;
  ref(): void;
  unref(): void;
  getTransactionStatus(): string | null;
}

export interface LibraryPool extends EventEmitter {
  readonly options: Record<string, unknown>;
  readonly Promise: PromiseConstructor;
  readonly log: (...messages: unknown[]) => void;
  ending: boolean;
  ended: boolean;
  connect(callback?: PoolCallback): unknown;
  query(text: unknown, values?: unknown, callback?: unknown): unknown;
  end(callback?: () => void): unknown;
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly expiredCount: number;
}

export type PoolCallback = (error: unknown, client?: unknown, done?: (release?: unknown) => void) => void;

interface Library {
  readonly Client: new (config?: unknown) => LibraryClient;
  readonly Pool: new (options?: unknown) => LibraryPool;
  readonly Query: new (config: unknown, values?: unknown, callback?: unknown) => LibraryQuery;
  readonly Result: new (rowMode: unknown, types: unknown) => LibraryResult;
}

export const library: Library = pg as unknown as Library;

/** Whether it is a query of the library's own class, which can be sent a second time. */
export function isLibraryQuery(query: Submittable): query is LibraryQuery {
  return query instanceof library.Query;
}
