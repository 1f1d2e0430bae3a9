/** What this driver holds on to inside mysql2, found and checked before anything is dialled. */
import { HoldfastError } from "../../call/index.ts";
import { InertStream } from "./inert.ts";
import { type Command, copyConfig, type LibraryConnection, library } from "./library.ts";

type CommandClass = new (...args: never[]) => Command;

/** The library's commands, which it does not export. */
export interface CommandClasses {
  readonly Query: CommandClass;
  readonly Prepare: new (options: object, callback: (error: unknown, statement?: unknown) => void) => Command;
  readonly Execute: CommandClass;
  readonly Ping: CommandClass;
  readonly Reset: CommandClass;
  readonly ChangeUser: CommandClass;
}

/** Own fields of a fresh command that a repetition puts back, or that say how far it has come. */
const commandFields: readonly (readonly [keyof CommandClasses, readonly string[]])[] = [
  ["Query", ["next", "onResult", "sql", "timeout", "_queryOptions", "_rows", "_fields", "_resultIndex"]],
  ["Execute", ["next", "onResult", "statement", "timeout", "_executeOptions", "_rows", "_fields"]],
  ["Prepare", ["next", "onResult", "query", "options"]],
];

const connectionMethods: readonly string[] = [
  ...([
    "addCommand",
    "handlePacket",
    "_notifyError",
    "close",
    "end",
    "query",
    "execute",
    "prepare",
  ] satisfies (keyof LibraryConnection)[]),
  ...([
    "ping",
    "reset",
    "changeUser",
    "unprepare",
    "pause",
    "resume",
    "promise",
  ] satisfies (keyof LibraryConnection)[]),
];

let found: CommandClasses | undefined;

/** @param again look anew, for tests @throws `HF_OPTION` naming what is missing: without it this driver could lose or repeat work, so it does not start */
export function internals(again = false): CommandClasses {
  if (again) return probe();
  found ??= probe();
  return found;
}

function probe(): CommandClasses {
  const missing: string[] = [];
  const prototype = library.Connection.prototype as unknown as Readonly<Record<string, unknown>>;
  for (const name of connectionMethods) {
    if (typeof prototype[name] !== "function") missing.push(`connection.${name}`);
  }
  if (missing.length > 0) refuse(missing);
  const commands: Command[] = [];
  class Probe extends library.Connection {
    override addCommand(command: Command): Command {
      commands.push(command);
      return command;
    }
  }
  const config = new library.ConnectionConfig({ user: "probe" });
  const connection = new Probe({
    config: copyConfig(config, { stream: new InertStream(), connectTimeout: 0 }),
  });
  if (typeof connection._commands?.shift !== "function" || connection._command !== null) {
    missing.push("connection._commands");
  }
  commands.length = 0; // the handshake, which goes nowhere
  const nothing = (): void => {};
  connection.query("SELECT 1", nothing);
  connection.execute("SELECT 1", [], nothing);
  connection.ping(nothing);
  connection.reset(nothing);
  connection.changeUser({}, nothing);
  const [query, prepare, execute, ping, reset, changeUser] = commands;
  const byName = {
    Query: query,
    Prepare: prepare,
    Execute: execute,
    Ping: ping,
    Reset: reset,
    ChangeUser: changeUser,
  };
  for (const [name, command] of Object.entries(byName)) {
    if (command === undefined || command.next !== null) missing.push(name);
  }
  for (const [name, fields] of commandFields) {
    const command = byName[name];
    for (const field of fields) {
      if (command !== undefined && !(field in command)) missing.push(`${name}.${field}`);
    }
  }
  if (missing.length > 0) refuse(missing);
  const classes = Object.entries(byName).map(([name, command]) => [name, command?.constructor]);
  return Object.fromEntries(classes) as unknown as CommandClasses;
}

function refuse(missing: readonly string[]): never {
  throw new HoldfastError(
    "HF_OPTION",
    `this version of mysql2 is not one that was tested (3.24): it has no ${missing.join(", no ")}`,
    { details: { missing } },
  );
}
