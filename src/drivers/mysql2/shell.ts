/**
 * The shell: a real instance of the library's connection that is never connected. Every method of the library ends in
 * `addCommand`, and there the command goes to a link or a pool instead of a socket. Formatting, placeholders, streams,
 * the promise wrapper and whatever is built on the class are the library's own code.
 */
import type { Statement as SqlStatement } from "../../sql/index.ts";
import { factsOf, harmless, unknown, wipes } from "./facts.ts";
import { InertStream } from "./inert.ts";
import { type CommandClasses, internals } from "./internals.ts";
import { Job, type Preparation } from "./job.ts";
import {
  type Callback,
  type Command,
  type CommandOptions,
  copyConfig,
  type LibraryConfig,
  type LibraryConnection,
  library,
  type Statement,
} from "./library.ts";
import { readStatementOptions, type StatementResilience } from "./options.ts";
import type { Physical } from "./physical.ts";

/** Where a shell's work goes. */
export interface ShellCore {
  readonly callDeadlineMs: number | undefined;
  /** The connection in use, if any. */
  readonly physical: Physical | undefined;
  submit(job: Job): void;
  /** A job after which the session is as new. */
  wipe(job: Job): void;
  changeUser(job: Job, config: LibraryConfig, wanted: Partial<LibraryConfig>): void;
}

/** What a shell needs while it runs one of the library's methods. */
class Front {
  readonly classes: CommandClasses = internals();
  core: ShellCore | undefined;
  /** The text before values were put into it: one text for many values. */
  template: string | undefined;
  /** While `execute` runs: what it adds belongs together. */
  collected: Command[] | undefined;
  /** How the statements that callers hold were prepared. */
  readonly prepared: WeakMap<Statement, CommandOptions> = new WeakMap();
}

const frontKey: unique symbol = Symbol("holdfast.mysql2.front");

function frontOf(shell: LibraryConnection): Front {
  const holder = shell as { [frontKey]?: Front };
  holder[frontKey] ??= new Front();
  return holder[frontKey];
}

/** Gives a shell its work to do; what its constructor added before goes nowhere. */
export function attach(shell: LibraryConnection, core: ShellCore): void {
  frontOf(shell).core = core;
}

/** A config with which the library's constructor dials nothing and waits for nothing. */
export function shellConfig(config: LibraryConfig): LibraryConfig {
  return copyConfig(config, { stream: new InertStream(), connectTimeout: 0 });
}

function textOf(sql: unknown): string {
  if (typeof sql === "string") return sql;
  const text = (sql as { sql?: unknown } | null)?.sql;
  return typeof text === "string" ? text : "";
}

const noTerms: StatementResilience = {};

function makeJob(
  { core }: Front,
  command: Command,
  sql: string,
  options: CommandOptions,
  preparation?: Preparation,
): Job {
  const declared = options.resilience === undefined ? noTerms : readStatementOptions(options.resilience);
  const { effect, signal } = declared;
  const deadlineMs = declared.deadlineMs ?? (options.timeout || core?.callDeadlineMs);
  return new Job(command, sql, factsOf(sql, effect), deadlineMs, signal, preparation);
}

function plain({ core }: Front, command: Command, name: string, facts: SqlStatement): Job {
  return new Job(command, name, facts, core?.callDeadlineMs);
}

/** Sorts a command by its class; the library has no other way to say what it wants. */
function route(shell: LibraryConnection, front: Front, core: ShellCore, command: Command): void {
  const { classes } = front;
  switch (command.constructor) {
    case classes.Query: {
      const values = command.values;
      // A raw value or an identifier may be any SQL: then the whole text is read.
      const template = front.template !== undefined && isPlain(values) && !front.template.includes("??");
      const sql = template ? (front.template as string) : (command.sql ?? "");
      return core.submit(makeJob(front, command, sql, command._queryOptions ?? {}));
    }
    case classes.Prepare:
      return core.submit(prepareJob(shell, front, command));
    case classes.Execute: {
      const statement = command.statement as Statement;
      const options = front.prepared.get(statement) ?? { sql: statement.query };
      return core.submit(makeJob(front, command, options.sql ?? "", options, { options, statement }));
    }
    case classes.Ping:
      return core.submit(plain(front, command, "ping", harmless));
    case classes.Reset:
      return core.wipe(plain(front, command, "reset", wipes));
    case classes.ChangeUser: {
      const { user, password, database, charsetNumber } = command as unknown as LibraryConfig;
      const wanted = { user, password, database, charsetNumber };
      return core.changeUser(plain(front, command, "change_user", wipes), shell.config, wanted);
    }
    default:
      return core.submit(plain(front, command, command.constructor.name, unknown));
  }
}

/** A statement for the caller to keep: bound to the shell, and prepared again where it is needed. */
function prepareJob(shell: LibraryConnection, front: Front, command: Command): Job {
  const { onResult, options = {} } = command;
  command.onResult = (error, statement) => {
    if (error) return onResult?.(error);
    const own = Object.assign(
      Object.create(Object.getPrototypeOf(statement) as object),
      statement,
    ) as Statement;
    own._connection = shell;
    own.close = () => front.core?.physical?.wire.unprepare(options);
    front.prepared.set(own, options);
    onResult?.(null, own);
  };
  return plain(front, command, "prepare", harmless);
}

function isPlain(values: unknown): boolean {
  if (values === undefined || values === null || typeof values !== "object") return true;
  if (values instanceof Date || Buffer.isBuffer(values)) return true;
  if (Array.isArray(values)) return values.every(isPlain);
  return (
    Object.getPrototypeOf(values) === Object.prototype &&
    !("toSqlString" in values) &&
    Object.values(values).every(isPlain)
  );
}

/** `execute` prepares and runs; both go to the same connection, or to none. */
function execute(front: Front, run: () => Command): Command {
  front.collected = [];
  let made: readonly Command[];
  let returned: Command;
  try {
    returned = run();
  } finally {
    made = front.collected;
    front.collected = undefined;
  }
  const [prepare, command] = made;
  if (front.core === undefined || prepare === undefined || command === undefined) return returned;
  const options = prepare.options ?? {};
  front.core.submit(makeJob(front, command, options.sql ?? "", options, { options }));
  return returned;
}

type Constructor = new (...args: never[]) => LibraryConnection;

/** The class with every way to the socket replaced. */
function shellOf<B extends Constructor>(Base: B): B {
  const Loose = Base as unknown as new (...args: unknown[]) => LibraryConnection;
  class ShellConnection extends Loose {
    override addCommand(command: Command): Command {
      const front = frontOf(this);
      if (front.collected !== undefined) front.collected.push(command);
      else if (front.core !== undefined) route(this, front, front.core, command);
      return command;
    }

    override query(sql: unknown, values?: unknown, callback?: Callback): Command {
      const front = frontOf(this);
      front.template = textOf(sql);
      try {
        return super.query(sql, values, callback);
      } finally {
        front.template = undefined;
      }
    }

    override execute(sql: unknown, values?: unknown, callback?: Callback): Command {
      return execute(frontOf(this), () => super.execute(sql, values, callback));
    }

    override unprepare(sql: unknown): unknown {
      return frontOf(this).core?.physical?.wire.unprepare(sql);
    }

    override pause(): void {
      frontOf(this).core?.physical?.wire.pause();
    }

    override resume(): void {
      frontOf(this).core?.physical?.wire.resume();
    }
  }
  return ShellConnection as unknown as B;
}

export const ShellConnection: typeof library.Connection = shellOf(library.Connection);
export const ShellPoolConnection: typeof library.PoolConnection = shellOf(library.PoolConnection);

/** What the library keeps of a handshake on the connection itself. */
export function showPhysical(shell: LibraryConnection, physical: Physical): void {
  const { wire } = physical;
  shell.threadId = wire.threadId;
  if (wire.connectionId !== undefined) shell.connectionId = wire.connectionId;
  shell.authorized = wire.authorized;
  shell.serverCapabilityFlags = wire.serverCapabilityFlags;
  shell.serverEncoding = wire.serverEncoding;
  shell.clientEncoding = wire.clientEncoding;
  shell._isMariaDB = wire._isMariaDB;
  shell._handshakePacket = wire._handshakePacket;
}
