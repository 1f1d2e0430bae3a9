/** One piece of work of a caller: a library command, with the caller's callback or listeners kept behind ours. */
import type { CallKind, Effect } from "../../call/index.ts";
import type { SqlJob, Statement as SqlStatement } from "../../sql/index.ts";
import type { Callback, Command, CommandOptions, Statement } from "./library.ts";

/** What the library hands to a callback. A class: V8 may make the objects of a literal in the old space at once. */
export class Reply {
  readonly rows: unknown;
  readonly fields: unknown;

  constructor(rows: unknown, fields: unknown) {
    this.rows = rows;
    this.fields = fields;
  }
}

/** Where a command is sent. */
export interface Carrier {
  /** The library says how the command ended. Who is not waited for any more is not heard. */
  answered(command: Command, rows: unknown, fields: unknown): void;
  rejected(command: Command, error: unknown): void;
  /** Takes it out of the library's queue; false when it has begun. */
  withdraw(command: Command): boolean;
}

const emitterFields: ReadonlySet<string> = new Set(["_events", "_eventsCount", "_maxListeners", "domain"]);

/** Prepared on every connection anew; the library's own cache makes the second time free. */
export interface Preparation {
  readonly options: CommandOptions;
  /** A statement the caller holds, so that the preparation is not his. */
  readonly statement?: Statement;
}

/** What is sent beside the text: header, ids, parameters that are not counted one by one. */
const overheadBytes = 64;

/** Its fields are public, since views of it are made with another `kind`. */
export class Job implements SqlJob<Reply> {
  readonly command: Command;
  readonly facts: SqlStatement;
  /** Set when the command needs a statement that is prepared on the same connection. */
  readonly preparation: Preparation | undefined;
  readonly kind: CallKind = "unary";
  readonly deadlineMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Something was handed to a listener: it can't be taken back, nor the command repeated. */
  delivered = false;
  /** Where it was sent last. */
  on: Carrier | undefined = undefined;
  readonly text: string;
  readonly #callback: Callback | undefined;
  readonly #emit: Command["emit"];
  #finished = false;

  constructor(
    command: Command,
    text: string,
    facts: SqlStatement,
    deadlineMs: number | undefined,
    signal?: AbortSignal,
    preparation?: Preparation,
  ) {
    this.command = command;
    this.text = text;
    this.facts = facts;
    this.preparation = preparation;
    this.deadlineMs = deadlineMs;
    this.signal = signal;
    this.#callback = command.onResult;
    this.#emit = command.emit;
    // Ours is the deadline: the library's rejects the caller and leaves the connection to the next.
    command.timeout = undefined;
  }

  get effect(): Effect {
    return this.delivered ? "once" : this.facts.effect;
  }

  get bytes(): number {
    return this.text.length + overheadBytes;
  }

  /** For messages: the first word, no arguments, no secrets. */
  get name(): string {
    return /^\W*(\w{1,20})/.exec(this.text)?.[1]?.toUpperCase() ?? "statement";
  }

  unsend(): boolean {
    return this.on?.withdraw(this.command) === true;
  }

  /** Begins a send: the carrier hears how it ends. */
  start(carrier: Carrier): Command {
    if (this.on !== undefined) this.#rewind();
    this.on = carrier;
    const { command } = this;
    if (this.#callback !== undefined) {
      command.onResult = (error, rows, fields) => {
        if (error) carrier.rejected(command, error);
        else carrier.answered(command, rows, fields);
      };
      return command;
    }
    command.emit = (name: string | symbol, ...args: unknown[]): boolean => {
      if (this.#finished || carrier !== this.on) return false;
      if (name === "error") carrier.rejected(command, args[0]);
      else if (name === "end") carrier.answered(command, undefined, undefined);
      else {
        this.delivered = true;
        return this.#emit.call(command, name, ...args);
      }
      return true;
    };
    return command;
  }

  /** The caller gets what it asked for. */
  succeed({ rows, fields }: Reply): void {
    if (this.#callback === undefined) return this.#finish();
    if (fields === undefined) this.#callback(null, rows);
    else this.#callback(null, rows, fields);
  }

  /** The caller gets the error; one that nobody listens for is dropped. */
  fail(error: unknown): void {
    if (this.#callback !== undefined) return this.#callback(error);
    if (this.command.listenerCount("error") > 0) this.#emit.call(this.command, "error", error);
    this.#finish();
  }

  #finish(): void {
    this.#finished = true;
    this.command.emit = this.#emit;
    this.#emit.call(this.command, "end");
  }

  /** As it was when it was made; the text stays, since it is formatted by now. */
  #rewind(): void {
    const { command } = this;
    const options = command._queryOptions ?? command._executeOptions ?? command.options ?? {};
    const Class = command.constructor as new (options: object) => Command;
    const fresh = new Class(options) as unknown as Readonly<Record<string, unknown>>;
    const own = command as unknown as Record<string, unknown>;
    const { sql } = command;
    for (const key of Object.keys(fresh)) if (!emitterFields.has(key)) own[key] = fresh[key];
    if (sql !== undefined) command.sql = sql;
    command.timeout = undefined;
  }
}
