/** One piece of work of a caller: a query of the library, with the caller's callback or listeners kept behind ours. */
import type { CallDescription } from "../../call/index.ts";
import type { Statement } from "../../sql/index.ts";
import {
  type Callback,
  isLibraryQuery,
  type LibraryQuery,
  type LibrarySocket,
  library,
  type Submittable,
} from "./library.ts";

/** How one send of a query ends. */
export interface Ending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

export class Job {
  readonly query: Submittable;
  readonly facts: Statement;
  readonly call: CallDescription;
  /** Something was handed to the caller, or the library's cursor or stream has begun: it can't be repeated. */
  delivered = false;
  readonly #own: LibraryQuery | undefined;
  readonly #callback: Callback | undefined;
  readonly #handleError: Submittable["handleError"];
  readonly #handleReadyForQuery: Submittable["handleReadyForQuery"];
  #sends = 0;
  #ending: Ending | undefined;
  /** The caller has heard of the error from the query itself. */
  #told = false;

  /** @param call is not copied: it is made for this job alone */
  constructor(query: Submittable, facts: Statement, call: CallDescription) {
    this.query = query;
    this.facts = facts;
    this.#own = isLibraryQuery(query) ? query : undefined;
    this.#callback = this.#own === undefined ? undefined : query.callback;
    this.#handleError = query.handleError;
    this.#handleReadyForQuery = query.handleReadyForQuery;
    this.call = call;
    if (this.#callback !== undefined) return;
    Object.defineProperty(call, "effect", { get: () => (this.delivered ? "once" : facts.effect) });
  }

  /** Begins a send: from now on the query ends in `ending`. */
  start(ending: Ending): Submittable {
    if (this.#sends++ > 0 && this.#own !== undefined) rewind(this.#own);
    this.#ending = ending;
    const { query } = this;
    if (this.#callback !== undefined) {
      query.callback = (error, result) => (error ? ending.reject(error) : ending.resolve(result));
    } else this.#wrap(query, ending);
    return query;
  }

  /** A query with listeners, a cursor, a stream: its own handlers are its face to the caller. */
  #wrap(query: Submittable, ending: Ending): void {
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
      if (ending === this.#ending) ending.resolve(undefined);
      this.#handleReadyForQuery.call(query, connection);
    };
    query.handleError = (error, connection) => {
      // A cursor asks the server to go on from here: it must hear of its error at once.
      if (own === undefined && connection.stream.writable) {
        this.#told = true;
        this.#handleError.call(query, error, connection);
      }
      if (ending === this.#ending) ending.reject(error);
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
