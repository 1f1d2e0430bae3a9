/** One physical connection: a connection of the library's own that is dialled once and never again. */
import { HoldfastError } from "../../call/index.ts";
import type { Endpoint } from "../../endpoint/index.ts";
import { type Sink, takenBack } from "../../link/index.ts";
import { type Ending, Underway } from "../../sql/index.ts";
import { refusesWrites } from "./errors.ts";
import type { CommandClasses } from "./internals.ts";
import { type Carrier, type Job, Reply } from "./job.ts";
import type { Command, LibraryConfig, LibraryConnection, Statement } from "./library.ts";
import { ServerWord } from "./server-word.ts";
import { Wire } from "./wire.ts";

/** Who must hear that the connection is gone. */
export interface PhysicalOwner {
  lost(cause: unknown): void;
}

export class Physical implements Carrier {
  readonly endpoint: Endpoint;
  /** What the server said of the session: status flags and tracked changes. */
  readonly word: ServerWord = new ServerWord();
  /** Why it is gone; `undefined` while it is not. */
  lostCause: unknown;
  /** The server refuses to write: what its pool must know when the connection comes back. */
  refused: unknown;
  /** A statement left something in the session that the next borrower must not find. */
  dirty = false;
  /** Its session can't be cleaned (another user). */
  spoiled = false;
  /** Restored items and their statements, so that a second round sends only what is new. */
  readonly restored: Map<string, string> = new Map();
  /** Statements of `pool.on("connection")` listeners: part of the set-up from then on. */
  readonly declared: string[] = [];
  readonly wire: Wire;
  readonly #classes: CommandClasses;
  readonly #owner: PhysicalOwner;
  readonly #outstanding: Underway<Command, Ending<Reply>> = new Underway();
  /** A link's ears, while it has this connection. */
  sink: Sink | undefined;
  #ready = false;
  #listening = false;

  constructor(config: LibraryConfig, endpoint: Endpoint, classes: CommandClasses, owner: PhysicalOwner) {
    this.endpoint = endpoint;
    this.#classes = classes;
    this.#owner = owner;
    this.wire = new Wire(
      { config },
      {
        broken: (error) => this.broken(error),
        eof: (packet) => this.word.eof(packet),
      },
    );
  }

  get inTransaction(): boolean | undefined {
    return this.word.inTransaction;
  }

  /** Something is under way, perhaps for a caller who has left. */
  get busy(): boolean {
    return this.#outstanding.size > 0;
  }

  /** @throws what the dial or the handshake failed with; the socket is gone then */
  connect(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const { wire } = this;
      const failed = (error: unknown): void => {
        signal.removeEventListener("abort", aborted);
        this.lostCause ??= error;
        wire.stream.destroy();
        reject(error);
      };
      const aborted = (): void => failed(signal.reason);
      this.#failOpen = failed;
      wire.on("error", (error: unknown) => this.broken(error));
      wire.on("end", () => this.broken(connectionEnded()));
      if (signal.aborted) return aborted();
      signal.addEventListener("abort", aborted, { once: true });
      wire.once("connect", () => {
        signal.removeEventListener("abort", aborted);
        this.#ready = true;
        resolve();
      });
    });
  }

  #failOpen: (error: unknown) => void = () => {};

  /** From now on every chunk is a sign of life for whoever has the connection. */
  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.wire.stream.on("data", () => this.sink?.alive());
  }

  /** The library tells before it rejects what was under way: the evidence is still there. */
  broken(error: unknown): void {
    if (this.lostCause !== undefined) return;
    if (!this.#ready) return this.#failOpen(error);
    this.lostCause = error;
    this.takeBack();
    this.sink?.lost(error);
    this.#owner.lost(error);
    // What the library forgets (a command without callback, a protocol error) is settled all the same.
    queueMicrotask(() => this.#settle(error));
  }

  /** Sends one job. Rejects with `takenBack` when nothing of it left this process. */
  send(job: Job): Promise<Reply> {
    return new Promise((resolve, reject) => this.transmit(job, { resolve, reject }));
  }

  /** The same, told by callbacks. */
  transmit(job: Job, ending: Ending<Reply>): void {
    if (this.lostCause !== undefined) return ending.reject(takenBack);
    if (job.facts.dirty) this.dirty = true;
    this.#outstanding.set(job.command, ending);
    const command = job.start(this);
    if (job.preparation !== undefined) this.#prepare(job.preparation.options, command);
    this.wire.addCommand(command);
  }

  answered(command: Command, rows: unknown, fields: unknown): void {
    const ending = this.#outstanding.take(command);
    if (ending === undefined) return;
    this.word.reply(rows);
    ending.resolve(new Reply(rows, fields));
  }

  rejected(command: Command, error: unknown): void {
    const ending = this.#outstanding.take(command);
    if (ending === undefined) return;
    if (refusesWrites(error, this.inTransaction)) this.refused = error;
    ending.reject(error);
  }

  /** A command of our own making: ping, reset, a statement of the set-up. */
  run(
    make: (connection: LibraryConnection, done: (error: unknown, rows?: unknown) => void) => Command,
  ): Promise<unknown> {
    if (this.lostCause !== undefined) return Promise.reject(this.lostCause);
    return new Promise((resolve, reject) => {
      const command = make(this.wire, (error, rows) => {
        if (this.#outstanding.take(command) !== undefined) error ? reject(error) : resolve(rows);
      });
      this.#outstanding.set(command, {
        resolve,
        reject: (error) => reject(error === takenBack ? this.lostCause : error),
      });
    });
  }

  async query(sql: string): Promise<unknown> {
    const rows = await this.run((connection, done) => connection.query(sql, done));
    this.word.reply(rows);
    return rows;
  }

  /** The library prepares and caches; a failure is the failure of what needed the statement. */
  #prepare(options: object, command: Command): void {
    const prepare = new this.#classes.Prepare(options, (error, statement) => {
      if (error === null || error === undefined) {
        command.statement = statement as Statement;
        return;
      }
      skip(command);
      this.rejected(command, error);
    });
    this.wire.addCommand(prepare);
  }

  /** Commands that the library has not begun, or of which the kernel took nothing, were never seen by anybody. */
  takeBack(): void {
    const { wire } = this;
    const { _command: running } = wire;
    for (let command = wire._commands.shift(); command !== undefined; command = wire._commands.shift()) {
      this.rejected(command, takenBack);
    }
    if (running !== null && wire.unwritten === running) this.rejected(running, takenBack);
  }

  /** Takes one command out of the library's queue; false when it has begun, or is not here. */
  withdraw(command: Command): boolean {
    if (command.next !== null || this.#outstanding.take(command) === undefined) return false;
    skip(command);
    return true;
  }

  #settle(error: unknown): void {
    for (const command of this.#outstanding.keys()) this.rejected(command, error);
  }

  destroy(): void {
    this.lostCause ??= new HoldfastError("HF_CLOSED", "the connection was closed");
    this.takeBack();
    const error = this.lostCause;
    this.wire.close();
    this.wire.stream.destroy();
    queueMicrotask(() => this.#settle(error));
  }

  /** Says goodbye and lets the server close. */
  async end(): Promise<void> {
    const { wire } = this;
    this.lostCause ??= new HoldfastError("HF_CLOSED", "the connection was closed");
    if (!wire.stream.destroyed) {
      const gone = this.gone();
      wire.end();
      wire.stream.end();
      await gone;
    }
  }

  /** Resolves when the socket is gone. */
  gone(): Promise<void> {
    const { stream } = this.wire;
    return stream.closed
      ? Promise.resolve()
      : new Promise((resolve) => stream.once("close", () => resolve()));
  }
}

/** A command whose statement could not be prepared: the library takes it from its queue and does nothing. */
function skip(command: Command): void {
  const { start } = command as unknown as { start: unknown };
  Object.defineProperty(command, "start", {
    configurable: true,
    value: function skipped(this: { start?: unknown }) {
      this.start = start; // a later send is a real one
      return null;
    },
    writable: true,
  });
}

/** As the library says it when the stream closes, which comes a moment later. */
function connectionEnded(): Error {
  return Object.assign(new Error("Connection lost: The server closed the connection."), {
    code: "PROTOCOL_CONNECTION_LOST",
    fatal: true,
  });
}
