/**
 * One SQL session over a link: which calls may move to another connection, which belong to the one they began on, and
 * what must be rebuilt or told when that one is gone. The same code serves single connections and leases of a pool.
 */
import type { CallDescription, HoldfastError } from "../call/index.ts";
import type { Link, Sink } from "../link/index.ts";
import { type Holding, Holdings, lostState, transactionKey } from "./holdings.ts";
import { isCured, type Statement } from "./statement.ts";

/** What the server said about a connection with its last reply. */
export interface SqlConnection {
  /** Whether a transaction is open; `undefined` when it has not said so. */
  readonly inTransaction: boolean | undefined;
  /** Why the server refuses to write; `undefined` while it does not. */
  readonly refused: unknown;
  /** What tells the link of it, while it has this connection. */
  readonly sink: Sink | undefined;
}

/** Where the items of statements stand among those that are restored. */
const itemOrder = 50;

export class SqlLine<C extends SqlConnection> {
  readonly link: Link<C>;
  readonly #holdings: Holdings<C> = new Holdings<C>();
  /** Items as they were before the open transaction changed them, where a rollback brings them back. */
  readonly #before: Map<string, unknown> = new Map();
  /** Keys of items that no rollback brings back. */
  readonly #lasting: Set<string> = new Set();
  #order = 0;
  /** A transaction was told lost, and nothing has ended or replaced it since. */
  #transactionLost = false;
  /** The connection of the last statement: what LAST_INSERT_ID() asks for lives there. */
  #last: C | undefined;

  constructor(link: Link<C>) {
    this.link = link;
    // The transaction is gone, and what it set with it: that is not restored.
    link.on("disconnected", () => this.#bringBack());
  }

  /** How many statements were passed. */
  get passed(): number {
    return this.#order;
  }

  /** True when the server holds something for this session that can't be rebuilt. */
  get holds(): boolean {
    return this.#holdings.current !== undefined;
  }

  /** Whether what was held is gone with its connection; from then on nobody is told any more. */
  forgive(): boolean {
    this.#transactionLost = false;
    return this.#holdings.takeLost(this.link.connection) !== undefined;
  }

  /** The session was wiped (a reset of the connection, another user). */
  forget(): void {
    this.#holdings.clear();
    this.#transactionLost = false;
    this.#before.clear();
    for (const { key } of this.link.session.items) this.link.session.delete(key);
  }

  /** An item that the server itself tracks, as the statement that sets it again. */
  track(key: string, sql: string): void {
    this.link.session.set(key, sql, itemOrder);
  }

  /**
   * Passes one statement.
   * @throws (as rejection) what `Gate.call` does, and once `HF_UNRECOVERABLE` with what was lost, when the state that
   * the statement may depend on went with its connection; a COMMIT of a transaction that was told lost fails as well
   * @param rolledBack asked after a COMMIT that succeeded: whether the server rolled back instead
   */
  run<T>(
    statement: Statement,
    call: CallDescription,
    send: (connection: C) => Promise<T>,
    rolledBack?: () => boolean,
  ): Promise<T> {
    // What only rolls back asks for what a loss has already done: it may go anywhere.
    if (!onlyRollsBack(statement)) {
      const lost = this.#lostBefore(statement);
      if (lost !== undefined) return Promise.reject(lost);
    }
    if (statement.transaction === "begin" || statement.transaction === "rollback")
      this.#transactionLost = false;
    const order = this.#order++;
    const holding = this.#holdings.bind(statement, order);
    const plain = holding === undefined && !statement.dirty && !statement.recalls;
    if (plain && statement.transaction === "none") return this.#plain(call, order, send);
    return this.#bound(statement, call, holding, order, send, rolledBack);
  }

  /** The server would say "OK" to the COMMIT of a transaction that it never had: whoever sends it must not believe that. */
  #lostBefore({ asksCommit }: Statement): HoldfastError | undefined {
    const lost = this.#holdings.takeLost(this.link.connection);
    if (lost !== undefined) {
      const all: unknown = lost.details?.lost;
      this.#transactionLost = !asksCommit && Array.isArray(all) && all.includes(transactionKey);
      return lost;
    }
    if (!asksCommit || !this.#transactionLost) return undefined;
    this.#transactionLost = false;
    return lostState(["the transaction that this COMMIT would end"], [transactionKey]);
  }

  /** Nothing to note but the server's word. */
  #plain<T>(call: CallDescription, order: number, send: (connection: C) => Promise<T>): Promise<T> {
    let used: C | undefined;
    const sent = this.link.call(call, (connection) => {
      used = connection;
      return send(connection);
    });
    const heard = (): void => this.#heard(used, order);
    sent.then(heard, heard);
    return sent;
  }

  async #bound<T>(
    statement: Statement,
    call: CallDescription,
    holding: Holding<C> | undefined,
    order: number,
    send: (connection: C) => Promise<T>,
    rolledBack: (() => boolean) | undefined,
  ): Promise<T> {
    const last = this.#last;
    const rollsBack = onlyRollsBack(statement);
    const starts = holding === undefined || holding.startedBy === order || rollsBack;
    const kind = statement.recalls || !starts ? "pinned" : "session";
    let used: C | undefined;
    try {
      const reply = await this.link.call(described(call, kind), (connection) => {
        if (!rollsBack) holding?.use(connection);
        if (statement.recalls && last !== undefined && last !== connection) {
          throw lostState(["the result of the statement before"], ["recalled"]);
        }
        used = connection;
        return send(connection);
      });
      const undone = statement.transaction === "commit" && rolledBack?.() === true;
      this.#note(undone ? { ...statement, transaction: "rollback" } : statement, holding, order);
      return reply;
    } catch (error) {
      this.#holdings.failed(holding, statement, order, used !== undefined && used === this.link.connection);
      throw error;
    } finally {
      this.#heard(used, order);
    }
  }

  #heard(used: C | undefined, order: number): void {
    if (used === undefined) return;
    this.#last = used;
    if (used !== this.link.connection) return;
    this.#holdings.heard(used, used.inTransaction, order);
    // A transaction met a server that only reads. Its caller was told; once it is over, what comes next goes elsewhere.
    if (used.refused !== undefined && used.inTransaction !== true && !this.holds) {
      used.sink?.lost(used.refused);
    }
  }

  #note(statement: Statement, holding: Holding<C> | undefined, order: number): void {
    const { cures, sets, transaction } = statement;
    const { session } = this.link;
    if (transaction === "rollback") this.#bringBack();
    else if (transaction === "commit") this.#before.clear();
    this.#holdings.done(holding, statement, order);
    const open = holding?.held.has("transaction") === true;
    for (const { key, transactional } of sets) if (!transactional) this.#lasting.add(key);
    const change = (key: string): void => {
      if (open && !this.#lasting.has(key) && !this.#before.has(key)) this.#before.set(key, session.get(key));
    };
    if (cures.length > 0) {
      for (const { key } of session.items) {
        if (!isCured(cures, key)) continue;
        change(key);
        session.delete(key);
      }
    }
    for (const { key, sql } of sets) {
      change(key);
      session.set(key, sql, itemOrder);
    }
  }

  /** What the transaction set is undone with it. */
  #bringBack(): void {
    if (this.#before.size === 0) return;
    const { session } = this.link;
    for (const [key, value] of this.#before) {
      if (value === undefined) session.delete(key);
      else session.set(key, value, itemOrder);
    }
    this.#before.clear();
  }
}

/** Not with AND CHAIN, which begins a transaction. */
function onlyRollsBack({ transaction, effect }: Statement): boolean {
  return transaction === "rollback" && effect === "idempotent";
}

/** The same call with its kind: its effect may be a getter, so it is not copied. */
function described(call: CallDescription, kind: CallDescription["kind"]): CallDescription {
  return Object.create(call, { kind: { value: kind, enumerable: true } }) as CallDescription;
}
