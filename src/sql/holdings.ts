import { HoldfastError } from "../call/index.ts";
import { isCured, type Leftover, type Statement } from "./statement.ts";

/** The key of an open transaction among what a session holds. */
export const transactionKey = "transaction";

/** One call that left it. */
interface Take {
  readonly order: number;
  /** No rollback takes it back. */
  kept: boolean;
  /** Ended by a call of the open transaction: a rollback brings it back. */
  cured: boolean;
}

interface Held {
  readonly reason: string;
  readonly how: Pick<Leftover, "transactional" | "counted" | "lingers">;
  /** Never empty for long: a call that failed, or a cure, takes its own away. */
  takes: Take[];
}

const plain = { transactional: false, counted: false, lingers: false } as const;

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
    if (transaction === "begin") take(held, transactionKey, openTransaction, plain, order);
    for (const { key, reason, ...how } of leaves) take(held, key, reason, how, order);
    return this.#current;
  }

  /** A call succeeded: what it ends is over, what it left itself stays. */
  done(holding: Holding<C> | undefined, { cures, transaction }: Statement, order: number): void {
    if (holding === undefined) return;
    const { held } = holding;
    const ends = transaction === "commit" || transaction === "rollback";
    if (ends) endTransaction(held, order, transaction);
    const open = held.get(transactionKey)?.takes.some((one) => one.order <= order) === true;
    for (const [key, one] of held) {
      if (key === transactionKey) continue;
      if (isCured(cures, key)) cure(one, order, open);
      settle(one, order, open);
    }
    this.#drop(holding);
  }

  /**
   * A call failed: what it would have left is not there, unless it lingers or came from one of several statements. A
   * COMMIT that failed is over too: its caller knows.
   * @param alive its connection lives on
   */
  failed(
    holding: Holding<C> | undefined,
    { transaction, multi }: Statement,
    order: number,
    alive: boolean,
  ): void {
    if (holding === undefined) return;
    for (const one of holding.held.values()) {
      if (!alive || !(multi || one.how.lingers)) one.takes = one.takes.filter((each) => each.order !== order);
    }
    if (transaction === "commit") endTransaction(holding.held, order, "unknown");
    this.#drop(holding);
  }

  /** The server's own word after the reply to call `order`, which knows nothing of later calls. */
  heard(connection: C, inTransaction: boolean | undefined, order: number): void {
    if (inTransaction === true) {
      this.#current ??= new Holding<C>(order, connection);
      this.#current.on ??= connection;
      const { held } = this.#current;
      if (!held.has(transactionKey)) take(held, transactionKey, openTransaction, plain, order);
    } else if (inTransaction === false) {
      const held = this.#current?.held;
      if (held?.get(transactionKey)?.takes.some((one) => one.order <= order) !== true) return;
      endTransaction(held, order, "unknown");
      this.#drop(this.#current);
    }
  }

  #drop(holding: Holding<C> | undefined): void {
    if (holding === undefined) return;
    for (const [key, { takes }] of holding.held) if (takes.length === 0) holding.held.delete(key);
    if (holding === this.#current && holding.held.size === 0) this.#current = undefined;
  }
}

const openTransaction = "an open transaction";

function take(held: Map<string, Held>, key: string, reason: string, how: Held["how"], order: number): void {
  const one: Take = { order, kept: !how.transactional, cured: false };
  const takes = held.get(key)?.takes ?? [];
  takes.push(one);
  held.set(key, { reason, how, takes });
}

/** @param how `unknown`: what was made in it, or ended in it, counts as there: better told lost once too often */
function endTransaction(
  held: Map<string, Held>,
  order: number,
  how: "commit" | "rollback" | "unknown",
): void {
  for (const [key, one] of held) {
    one.takes = one.takes.filter((each) => {
      if (each.order >= order && !(how === "unknown" && each.order === order)) return true;
      if (key === transactionKey) return false;
      if (how === "commit" && each.cured) return false;
      if (how === "rollback" && !each.kept) return false;
      each.kept = true;
      each.cured = false;
      return true;
    });
  }
}

/** A counted one is ended as often as it was taken; in an open transaction it is only as if it were. */
function cure(held: Held, order: number, open: boolean): void {
  const older = held.takes.filter((each) => each.order < order && !each.cured);
  const ended = held.how.counted ? older.slice(0, 1) : older;
  if (open && held.how.transactional) for (const each of ended) each.cured = true;
  else held.takes = held.takes.filter((each) => !ended.includes(each));
}

/** The call that left it succeeded: outside a transaction nothing takes it back, and it stands for those before it. */
function settle(held: Held, order: number, open: boolean): void {
  const own = held.takes.find((each) => each.order === order);
  if (own === undefined) return;
  if (!open) own.kept = true;
  if (held.how.counted) return;
  held.takes = held.takes.filter((each) => each.order >= order || each.cured || (each.kept && !own.kept));
}
