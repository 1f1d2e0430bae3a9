import { HoldfastError } from "../call/index.ts";
import { isCured, type Statement } from "./statement.ts";

/** The key of an open transaction among what a session holds. */
export const transactionKey = "transaction";

interface Held {
  readonly reason: string;
  /** The call that left it. */
  readonly since: number;
  /** How often it was taken. */
  count: number;
  /** Gone when the transaction it was made in rolls back. */
  readonly transactional: boolean;
}

/** State that lives and dies with one connection: an open transaction, user variables, temporary tables, locks. */
export class Holding<C> {
  /** The call that began it: it may still choose its connection. */
  readonly startedBy: number;
  readonly held: Map<string, Held> = new Map();
  on: C | undefined;

  constructor(startedBy: number, on?: C) {
    this.startedBy = startedBy;
    this.on = on;
  }

  /** A call that belongs to it is about to be sent. @throws `HF_UNRECOVERABLE` on any other connection */
  use(connection: C): void {
    this.on ??= connection;
    if (this.on !== connection) throw this.lostError();
  }

  lostError(): HoldfastError {
    const lost = [...this.held.values()].map(({ reason }) => reason);
    return lostState(lost.length === 0 ? ["session state"] : lost, [...this.held.keys()]);
  }
}

/** Nothing was sent, since it would have meant something else on the new connection. */
export function lostState(lost: readonly string[], keys: readonly string[]): HoldfastError {
  return new HoldfastError("HF_UNRECOVERABLE", `the connection was lost, and with it ${lost.join(", ")}`, {
    outcome: "not-applied",
    details: { lost: keys },
  });
}

/** What one session holds at the server and can't be given again. */
export class Holdings<C> {
  #current: Holding<C> | undefined;

  get current(): Holding<C> | undefined {
    return this.#current;
  }

  clear(): void {
    this.#current = undefined;
  }

  /**
   * The error that is due because what was held is gone; told once.
   * @param connection in use now, if any
   */
  takeLost(connection: C | undefined): HoldfastError | undefined {
    const current = this.#current;
    if (current?.on === undefined || current.on === connection) return undefined;
    this.#current = undefined;
    return current.lostError();
  }

  /** The holding that a new call belongs to, begun if it is the first to leave something. */
  bind({ leaves, transaction }: Statement, order: number): Holding<C> | undefined {
    if (leaves.length === 0 && transaction !== "begin") return this.#current;
    this.#current ??= new Holding<C>(order);
    const { held } = this.#current;
    if (transaction === "begin") held.set(transactionKey, openTransaction(order));
    for (const { key, reason, transactional, counted } of leaves) {
      const count = counted ? (held.get(key)?.count ?? 0) + 1 : 1;
      held.set(key, { reason, since: order, count, transactional });
    }
    return this.#current;
  }

  /** A call succeeded: what it ends is over, what it left itself stays. */
  done(holding: Holding<C> | undefined, { cures, transaction }: Statement, order: number): void {
    if (holding === undefined) return;
    const rolledBack = transaction === "rollback";
    for (const [key, held] of holding.held) {
      if (held.since >= order) continue;
      const ended = key === transactionKey && (transaction === "commit" || rolledBack);
      if (ended || (rolledBack && held.transactional)) holding.held.delete(key);
      else if (isCured(cures, key) && --held.count <= 0) holding.held.delete(key);
    }
    this.#drop(holding);
  }

  /** A call failed: what it would have left is not there. A COMMIT that failed is over too: its caller knows. */
  failed(holding: Holding<C> | undefined, { transaction }: Statement, order: number): void {
    if (holding === undefined) return;
    for (const [key, { since }] of holding.held) if (since === order) holding.held.delete(key);
    if (transaction === "commit") holding.held.delete(transactionKey);
    this.#drop(holding);
  }

  /** The server's own word after the reply to call `order`, which knows nothing of later calls. */
  heard(connection: C, inTransaction: boolean | undefined, order: number): void {
    if (inTransaction === true) {
      this.#current ??= new Holding<C>(order, connection);
      this.#current.on ??= connection;
      const { held } = this.#current;
      if (!held.has(transactionKey)) held.set(transactionKey, openTransaction(order));
    } else if (inTransaction === false) {
      const held = this.#current?.held;
      const since = held?.get(transactionKey)?.since;
      if (since === undefined || since > order) return;
      held?.delete(transactionKey);
      this.#drop(this.#current);
    }
  }

  #drop(holding: Holding<C> | undefined): void {
    if (holding !== undefined && holding === this.#current && holding.held.size === 0) {
      this.#current = undefined;
    }
  }
}

function openTransaction(since: number): Held {
  return { reason: "an open transaction", since, count: 1, transactional: false };
}
