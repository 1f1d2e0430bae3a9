/** What one SQL text does to data, to the transaction and to the session, as far as its text tells. */

/** Something the session holds that the same text sets again on a new connection. */
export interface SessionItem {
  /** `variable:time_zone`, `database`, `listen:jobs`, `prepare:find_user`, … A later item of the same key replaces this one. */
  readonly key: string;
  /** What to send to a new connection. */
  readonly sql: string;
  /** Undone when the transaction that set it rolls back (PostgreSQL). */
  readonly transactional: boolean;
}

/** Something the session holds that nothing can bring back: poison while it is there. */
export interface Leftover {
  /** `temporary:orders`, `user-variables`, `advisory-lock:42`, `cursor:c`, … */
  readonly key: string;
  /** For people: `temporary table orders`. */
  readonly reason: string;
  /** Gone when the transaction that made it rolls back (PostgreSQL). */
  readonly transactional: boolean;
  /** Held as often as it was taken: one cure undoes one of them. */
  readonly counted: boolean;
  /** May be there although its statement failed: a part of it had been carried out. */
  readonly lingers: boolean;
}

export interface Statement {
  /**
   * `read`: may be repeated, it changes nothing. `idempotent`: changes this session only, so repeating it on a new
   * connection is right. `once`: everything else, and everything that is not understood.
   */
  readonly effect: "read" | "idempotent" | "once";
  /**
   * Of several statements the last that has to do with transactions. `commit` also for what commits implicitly (MySQL's
   * DDL) and for `PREPARE TRANSACTION`: in flight, its fate is unknown.
   */
  readonly transaction: "begin" | "commit" | "rollback" | "savepoint" | "none";
  /** A COMMIT: whoever sends it believes that a transaction is open, and that no statement of this text began it. */
  readonly asksCommit: boolean;
  readonly sets: readonly SessionItem[];
  readonly leaves: readonly Leftover[];
  /** Keys of items and leftovers that are gone afterwards, before this statement's own `sets` and `leaves`; a key may end in `*`. */
  readonly cures: readonly string[];
  /** The session differs afterwards from one that was just set up: reset before somebody else borrows it. */
  readonly dirty: boolean;
  /** Asks for what an earlier statement of the same session left: `LAST_INSERT_ID()`, `lastval()`, `SHOW WARNINGS`. */
  readonly recalls: boolean;
  /** More than one statement in the text. */
  readonly multi: boolean;
}

/** The same, while it is being found out. */
export interface Draft {
  effect: Statement["effect"];
  transaction: Statement["transaction"];
  asksCommit: boolean;
  sets: SessionItem[];
  leaves: Leftover[];
  cures: string[];
  dirty: boolean;
  recalls: boolean;
}

export function newDraft(): Draft {
  return {
    effect: "once",
    transaction: "none",
    asksCommit: false,
    sets: [],
    leaves: [],
    cures: [],
    dirty: false,
    recalls: false,
  };
}

export function leave(
  draft: Draft,
  key: string,
  reason: string,
  how: Partial<Pick<Leftover, "transactional" | "counted" | "lingers">> = {},
): void {
  draft.leaves.push({
    key,
    reason,
    transactional: how.transactional ?? false,
    counted: how.counted ?? false,
    lingers: how.lingers ?? false,
  });
  draft.dirty = true;
}

export function leaveUserVariables(draft: Draft): void {
  leave(draft, "user-variables", "user variables", { lingers: true });
}

/** A restorable item. Setting something from a constant also cures what an earlier expression left under the same key. */
export function put(draft: Draft, key: string, sql: string, transactional: boolean): void {
  draft.cures.push(key);
  draft.sets.push({ key, sql, transactional });
  draft.dirty = true;
}
