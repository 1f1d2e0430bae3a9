/** What the server says of a session by itself: the state of the transaction, and parameters as they change. */

/** Parameters that no statement sets, or that only say what another one already says. */
const notSettable: ReadonlySet<string> = new Set([
  ...["server_version", "server_encoding", "integer_datetimes", "is_superuser", "in_hot_standby"],
  ...["session_authorization", "scram_iterations"],
]);

/**
 * What an administrator sets for the whole server at a switch-over. A session that took it for its own would carry it to
 * the new primary, and could not write there either. Who sets it says so with SET or set_config.
 */
const serverWide = "default_transaction_read_only";

export class ServerWord {
  /** `undefined` until the server has said so. */
  inTransaction: boolean | undefined;
  /** The transaction has failed and takes nothing but a rollback. */
  failed = false;
  /** Parameters as they are now. */
  readonly parameters: Map<string, string> = new Map();
  /** A parameter is not what it was after the set-up. */
  changed = false;
  /** Hears of settled changes: those of a transaction when it is over. */
  heard: ((name: string, value: string) => void) | undefined;
  readonly #initial: Map<string, string> = new Map();
  readonly #pending: Map<string, string> = new Map();
  #setUp = false;

  /** What is in force now is how a session begins. */
  begins(): void {
    this.#setUp = true;
    this.#initial.clear();
    for (const [name, value] of this.parameters) this.#initial.set(name, value);
    this.#pending.clear();
    this.changed = false;
  }

  /** As a session begins; `undefined` for a parameter the server has not told of. */
  initial(name: string): string | undefined {
    return this.#initial.get(name);
  }

  /** @param asked whether a statement of the session is under way: else it is the server's own change */
  parameter(name: string, value: string, asked: boolean): void {
    this.parameters.set(name, value);
    if (!this.#setUp || notSettable.has(name)) return;
    if (!asked) {
      this.#initial.set(name, value);
      return;
    }
    this.changed ||= value !== this.#initial.get(name);
    if (name !== serverWide) this.#pending.set(name, value);
  }

  ready(status: string | undefined): void {
    this.inTransaction = status === undefined ? undefined : status !== "I";
    this.failed = status === "E";
    if (this.#pending.size === 0 || this.inTransaction === true) return;
    for (const [name, value] of this.#pending) this.heard?.(name, value);
    this.#pending.clear();
  }

  /** A standby says so; `undefined` when the server is older than that (14). */
  get standby(): boolean | undefined {
    const word = this.parameters.get("in_hot_standby");
    return word === undefined ? undefined : word === "on";
  }
}
