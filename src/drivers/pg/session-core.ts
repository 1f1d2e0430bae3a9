/** What stands behind a client that a caller holds, for its whole life: its link and its session. */
import type { Link } from "../../link/index.ts";
import { SqlLine, settle } from "../../sql/index.ts";
import type { Job } from "./job.ts";
import type { Physical } from "./physical.ts";
import type { ShellClient, ShellCore } from "./shell.ts";

const listenKey = "listen:";

export class SessionCore implements ShellCore {
  readonly line: SqlLine<Physical>;
  readonly callDeadlineMs: number | undefined;
  readonly names: Map<string, string>;
  readonly #shell: ShellClient;

  constructor(
    link: Link<Physical>,
    shell: ShellClient,
    callDeadlineMs: number | undefined,
    names: Map<string, string> = new Map(),
  ) {
    this.line = new SqlLine(link);
    this.callDeadlineMs = callDeadlineMs;
    this.names = names;
    this.#shell = shell;
    link.on("connected", () => this.#connected());
    link.on("reconnected", ({ downMs }) => {
      this.#connected();
      for (const subscription of this.channels) this.physical?.sink?.gap({ subscription, downMs });
    });
  }

  get link(): Link<Physical> {
    return this.line.link;
  }

  get physical(): Physical | undefined {
    return this.link.connection;
  }

  get escapesKnown(): boolean {
    return escapesKnown(this.physical);
  }

  /** Channels that are listened to. */
  get channels(): readonly string[] {
    const { items } = this.link.session;
    return items.filter(({ key }) => key.startsWith(listenKey)).map(({ key }) => key.slice(listenKey.length));
  }

  submit(job: Job): void {
    const send = (physical: Physical): Promise<unknown> => this.#send(physical, job);
    const { facts } = job;
    if (facts.transaction !== "commit") return settle(job, this.line.run(facts, job, send));
    // To the COMMIT of a transaction that has failed the server answers with ROLLBACK, and no error.
    settle(
      job,
      this.line.run(facts, job, send, () => job.command === "ROLLBACK"),
    );
  }

  #send(physical: Physical, job: Job): Promise<unknown> {
    if (physical.word.heard === undefined) this.#listen(physical);
    return physical.send(job);
  }

  #connected(): void {
    const { physical } = this;
    if (physical === undefined) return;
    this.#listen(physical);
    this.#shell.show(physical);
  }

  #listen(physical: Physical): void {
    physical.ears = this.#shell;
    physical.word.heard = (name, value) => this.#tracked(physical, name, value);
  }

  /** A parameter is restored as the server said it, whatever statement or function changed it. */
  #tracked(physical: Physical, name: string, value: string): void {
    if (this.link.connection !== physical) return;
    const key = `variable:${name.toLowerCase()}`;
    if (value === physical.word.initial(name) && this.link.session.get(key) === undefined) return;
    const sql = `SELECT set_config(${literal(name)}, ${literal(value)}, false)`;
    physical.restored.set(key, sql);
    this.line.track(key, sql);
  }
}

export function escapesKnown(physical: Physical | undefined): boolean {
  return physical?.word.parameters.get("standard_conforming_strings") === "on";
}

/** Right whatever the server makes of backslashes. */
function literal(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}
