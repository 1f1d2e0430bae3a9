/** `holdfast shell` as a person has it: in a terminal of its own, made by util-linux' `script`. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "../../support/until.ts";

export const main = fileURLToPath(new URL("../../../src/cli/main.js", import.meta.url));

/** A terminal's own additions: colours, cursor moves, the CR before each LF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const control = /\u001b\[[\d;?]*[A-Za-z]|\r/g;

/** Takes the line it stands in away. */
const clearLine = "\r\u001b[2K";

export class Terminal {
  readonly #child: ChildProcess;
  #text = "";
  #read = 0;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    this.#child = spawn("script", ["-qefc", quoted, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, TERM: "dumb", ...env },
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      for (const [i, part] of text.split(clearLine).entries()) {
        if (i > 0) this.#text = this.#text.slice(0, this.#text.lastIndexOf("\n") + 1);
        this.#read = Math.min(this.#read, this.#text.length);
        this.#text += part.replace(control, "");
      }
    });
  }

  get text(): string {
    return this.#text;
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  line(text: string): void {
    this.type(`${text}\r`);
  }

  interrupt(): void {
    this.type("\u0003");
  }

  /** Waits until `pattern` comes, reading on from where the last wait ended; returns what was printed up to its end. */
  async reads(pattern: RegExp): Promise<string> {
    const rest = (): string => this.#text.slice(this.#read);
    const seen = (): boolean => pattern.test(rest());
    try {
      await until(`the terminal shows ${pattern}`, 30_000, seen);
    } catch (error) {
      throw new Error(`${(error as Error).message}; it shows:\n${this.#text}`);
    }
    const { index = 0, 0: match } = pattern.exec(rest()) as RegExpExecArray;
    const text = rest().slice(0, index + match.length);
    this.#read += text.length;
    return text;
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    return (await once(this.#child, "exit"))[0] as number | null;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** A shell in a terminal, gone after the test; skipped by name where there is no `script`. */
export function withTerminal(t: TestContext, ...args: string[]): Terminal | undefined {
  if (spawnSync("script", ["--version"]).status !== 0) {
    const reason =
      "no `script` on this machine, which makes a terminal: it comes with util-linux (Debian: bsdutils)";
    if (process.env.CI === "true") throw new Error(reason);
    t.skip(reason);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "holdfast-shell-"));
  const terminal = new Terminal([process.execPath, main, "shell", ...args], {
    HOLDFAST_HISTORY: join(folder, "history"),
  });
  t.after(async () => {
    terminal.kill();
    await terminal.ended();
    rmSync(folder, { recursive: true });
  });
  return terminal;
}
