import { createInterface } from "node:readline";
import { Command, Option } from "commander";
import { isHoldfastError } from "../call/index.ts";
import { systemClock } from "../time/index.ts";
import { runBatch } from "./shell/batch.ts";
import type { Database } from "./shell/database.ts";
import { Executor } from "./shell/executor.ts";
import { historyFile, readHistory, writeHistory } from "./shell/history.ts";
import { openDatabase } from "./shell/open.ts";
import { Prompt } from "./shell/prompt.ts";
import { WaitingLine } from "./shell/waiting-line.ts";

interface ShellOptions {
  readonly execute?: string;
  readonly force?: boolean;
  readonly table?: boolean;
  readonly wait?: boolean;
  readonly connectTimeout: string;
}

const examples = `
The password may be in the URL, or better in the environment: HOLDFAST_PASSWORD, or as the server's own command line
has it (MYSQL_PWD, PGPASSWORD). History is kept in a file of yours ($HOLDFAST_HISTORY; empty: none).

Examples:
  holdfast shell mariadb://root@127.0.0.1/test
  holdfast shell postgres://me@127.0.0.1:5432/test --execute 'SELECT version()'
  holdfast shell mysql://root@127.0.0.1/test < statements.sql

Exit status: 0; 1 when a statement failed (batch) or no connection could be made; 2 when asked wrongly.`;

/** `holdfast shell`: an SQL prompt that goes on when the server goes away, and says what was lost. */
export function shellCommand(): Command {
  return new Command("shell")
    .description("an SQL prompt for MariaDB, MySQL and PostgreSQL that outlives its connection")
    .argument("<url>", "mariadb://, mysql://, postgres:// or postgresql://user@host:port/database")
    .option("-e, --execute <sql>", "run this and leave")
    .option("-f, --force", "in a batch: go on after a statement that failed")
    .option("-t, --table", "in a batch: draw tables as the prompt does")
    .option("-w, --wait", "wait for a server that is not there yet")
    .addOption(new Option("--connect-timeout <ms>", "for one attempt to connect").default("5000"))
    .addHelpText("after", examples)
    .action(async (url: string, options: ShellOptions, command: Command) => {
      try {
        process.exitCode = await shell(url, options);
      } catch (error) {
        if (!isHoldfastError(error)) throw error;
        const text = `error: ${error.message}`;
        if (error.code === "HF_OPTION") command.error(text, { exitCode: 2 });
        process.stderr.write(`${text}\n`);
        process.exitCode = 1;
      }
    });
}

async function shell(url: string, options: ShellOptions): Promise<number> {
  const database = await openDatabase(url, {
    env: process.env,
    retryInitial: options.wait === true,
    connectTimeoutMs: Number(options.connectTimeout),
  });
  const leave = new AbortController();
  const onSignal = (): void => leave.abort(new Error("stopped"));
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    await database.connect(leave.signal);
    const batch = options.execute !== undefined || !process.stdin.isTTY;
    return await (batch ? runFrom(database, options) : converse(database));
  } catch (error) {
    if (leave.signal.aborted) return 130;
    throw error;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    await database.close();
  }
}

async function runFrom(database: Database, options: ShellOptions): Promise<number> {
  const executor = new Executor({
    database,
    clock: systemClock,
    output: process.stdout,
    errors: process.stderr,
    format: options.table ? "grid" : "tabs",
  });
  const stop = (): void => executor.stop();
  process.on("SIGINT", stop);
  try {
    const lines = options.execute?.split("\n") ?? createInterface({ input: process.stdin });
    return await runBatch(lines, executor, { force: options.force === true, dialect: database.dialect });
  } finally {
    process.off("SIGINT", stop);
    executor.end();
  }
}

async function converse(database: Database): Promise<number> {
  const output = process.stdout;
  const waiting = new WaitingLine(systemClock, database.resilience, output);
  const executor = new Executor({
    database,
    clock: systemClock,
    output,
    errors: output,
    format: "grid",
    beforeWriting: () => waiting.hide(),
  });
  output.write(
    `Connected to ${database.product} ${database.version}, connection id ${database.connectionId ?? "unknown"}.\n` +
      "Statements end with ; or \\g. \\h is help, \\q leaves.\n\n",
  );
  const file = historyFile(process.env);
  const prompt = new Prompt({
    ...{ database, executor, waiting, output },
    input: process.stdin,
    history: readHistory(file),
  });
  await prompt.run();
  executor.end();
  const failure = writeHistory(file, prompt.history);
  output.write(failure === undefined ? "Bye\n" : `Bye (the history was not kept: ${failure})\n`);
  return 0;
}
