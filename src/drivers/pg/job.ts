/** One piece of work of a caller: a query of the library, with the caller's callback or listeners kept behind ours. */
import type { CallKind, Effect } from "../../call/index.ts";
import type { SqlJob, Statement } from "../../sql/index.ts";
import { nameOf, sizeOf } from "./facts.ts";
import {
  type Callback,
  isLibraryQuery,
  type LibraryQuery,
  type LibrarySocket,
  library,
  type Submittable,
} from "./library.ts";

/** Where a query is sent. */
export interface Carrier {
  /** The library says how the query ended. Who is not waited for any more is not heard. */
  answered(job: Job, result: unknown): void;
  rejected(query: Submittable, error: unknown): void;
  /** Takes it out of the library's queue; false when it has begun. */
  withdraw(query: Submittable): boolean;
}

/** Its fields are public, since views of it are made with another `kind`. */
export class Job implements SqlJob<unknown> {
  readonly query: Submittable;
  readonly facts: Statement;
  readonly text: string;
  readonly bytes: number;
  readonly kind: CallKind = "unary";
  readonly deadlineMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Something was handed to the caller, or the library's cursor or stream has begun: it can't be repeated. */
  delivered = false;
  /** Where it was sent last. */
  on: Carrier | undefined = undefined;
  readonly #own: LibraryQuery | undefined;
  readonly #callback: Callback | undefined;
  readonly #handleError: Submittable["handleError"];
  readonly #handleReadyForQuery: Submittable["handleReadyForQuery"];
  /** The caller has heard of the error from the query itself. */
  #told = false;

  constructor(
    query: Submittable,
    text: string,
    facts: Statement,
    deadlineMs: number | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.query = query;
    this.text = text;
    this.facts = facts;
    this.deadlineMs = deadlineMs;
    this.signal = signal;
    this.bytes = sizeOf(text, (query as LibraryQuery).values);
    this.#own = isLibraryQuery(query) ? query : undefined;
    this.#callback = this.#own === undefined ? undefined : query.callback;
    this.#handleError = query.handleError;
    this.#handleReadyForQuery = query.handleReadyForQuery;
  }

  get effect(): Effect {
    return this.delivered ? "once" : this.facts.effect;
  }

  get name(): string {
    return nameOf(this.text);
  }

  unsend(): boolean {
    return this.on?.withdraw(this.query) === true;
  }

  /** Begins a send: the carrier hears how it ends. */
  start(carrier: Carrier): Submittable {
    if (this.on !== undefined && this.#own !== undefined) rewind(this.#own);
    this.on = carrier;
    const { query } = this;
    if (this.#callback !== undefined) {
      query.callback = (error, result) => {
        if (error) carrier.rejected(query, error);
        else carrier.answered(this, result);
      };
    } else this.#wrap(query, carrier);
    return query;
  }

  /** A query with listeners, a cursor, a stream: its own handlers are its face to the caller. */
  #wrap(query: Submittable, carrier: Carrier): void {
    const own = this.#own;
    if (own !== undefined) {
      const { emit } = library.Query.prototype;
      own.emit = (name: string | symbol, ...args: unknown[]): boolean => {
        if (name === "row") this.delivered = true;
        return emit.call(own, name, ...args);
      };
    } else {
      const { submit } = Object.getPrototypeOf(query) as Submittable;
      query.submit = (connection: LibrarySocket): unknown => {
        this.delivered = true;
        return submit.call(query, connection);
      };
    }
    query.handleReadyForQuery = (connection) => {
      if (carrier === this.on) carrier.answered(this, undefined);
      this.#handleReadyForQuery.call(query, connection);
    };
    query.handleError = (error, connection) => {
      // A cursor asks the server to go on from here: it must hear of its error at once.
      if (own === undefined && connection.stream.writable) {
        this.#told = true;
        this.#handleError.call(query, error, connection);
      }
      if (carrier === this.on) carrier.rejected(query, error);
    };
  }

  /** The server's name for what it did; of several statements, for the last. */
  get command(): string | undefined {
    return this.#own?._result.command;
  }

  /** The caller gets what it asked for. */
  succeed(result: unknown): void {
    this.#callback?.(null, result);
  }

  /** The caller gets the error; one that nobody listens for is dropped. */
  fail(error: unknown): void {
    if (this.#callback !== undefined) return this.#callback(error);
    if (this.#told) return;
    this.#told = true;
    const { query } = this;
    query.handleError = this.#handleError;
    if (this.#own !== undefined && this.#own.listenerCount("error") === 0) return;
    this.#handleError.call(query, error, deadSocket);
  }
}

/** For handlers that answer to the connection, when there is none any more. */
const deadSocket: LibrarySocket = new Proxy({} as LibrarySocket, {
  get: (_, name) => (name === "stream" ? { writable: false } : () => deadSocket),
});

/** As it was when it was made. */
function rewind(query: LibraryQuery): void {
  const { _types } = query._result;
  query._result = new library.Result(query._rowMode, query.types);
  if (!query._result._types && _types !== undefined) query._result._types = _types;
  query._results = query._result;
  query._canceledDueToError = false;
}
