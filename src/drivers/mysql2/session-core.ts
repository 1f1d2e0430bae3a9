/** What stands behind a connection that a caller holds, for its whole life: its link and its session. */
import type { Link } from "../../link/index.ts";
import { type SqlLine, settle } from "../../sql/index.ts";
import { type DialPlan, setUp } from "./dial.ts";
import { identityKey } from "./driver.ts";
import type { Job, Reply } from "./job.ts";
import type { LibraryConfig } from "./library.ts";
import type { Physical } from "./physical.ts";
import type { StateChanges } from "./server-word.ts";
import type { ShellCore } from "./shell.ts";

export class SessionCore implements ShellCore {
  readonly line: SqlLine<Physical>;
  readonly #plan: () => DialPlan;
  readonly callDeadlineMs: number | undefined;

  constructor(line: SqlLine<Physical>, plan: () => DialPlan, callDeadlineMs: number | undefined) {
    this.line = line;
    this.#plan = plan;
    this.callDeadlineMs = callDeadlineMs;
  }

  get link(): Link<Physical> {
    return this.line.link;
  }

  get physical(): Physical | undefined {
    return this.link.connection;
  }

  submit(job: Job): void {
    settle(job, this.#run(job));
  }

  /** The session is as new, and so is what we know of it. */
  wipe(job: Job): void {
    const run = async (): Promise<Reply> => {
      const reply = await this.#run(job);
      this.line.forget();
      return reply;
    };
    settle(job, run());
  }

  /** Another user, whose session is as new; from now on every dial is his. */
  changeUser(job: Job, config: LibraryConfig, wanted: Partial<LibraryConfig>): void {
    const { user, password, database, charsetNumber } = config;
    const run = async (): Promise<Reply> => {
      try {
        const reply = await this.line.run(job.facts, job, async (physical) => {
          physical.spoiled = true;
          const answer = await physical.send(job);
          await setUp(physical, this.#plan());
          physical.dirty = true;
          return answer;
        });
        this.line.forget();
        this.link.session.set(identityKey, wanted, 0);
        return reply;
      } catch (error) {
        Object.assign(config, { user, password, database, charsetNumber });
        throw error;
      }
    };
    settle(job, run());
  }

  #run(job: Job): Promise<Reply> {
    return this.line.run(job.facts, job, (physical) => {
      physical.word.heard ??= (changes) => this.#tracked(physical, changes);
      return physical.send(job);
    });
  }

  /** What the server tracks is restored as it said it, whatever statement or routine changed it. */
  #tracked(physical: Physical, { schema, systemVariables }: StateChanges): void {
    if (this.link.connection !== physical) return;
    const note = (key: string, sql: string): void => {
      physical.restored.set(key, sql);
      this.line.track(key, sql);
    };
    if (typeof schema === "string" && schema !== "") note("database", `USE ${quoted(schema)}`);
    for (const [name, value] of Object.entries(systemVariables)) {
      if (/^\w+$/.test(name)) note(`variable:${name}`, `SET SESSION ${name} = ${literal(value)}`);
    }
  }
}

export function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

function literal(value: string): string {
  return /^-?\d+(\.\d+)?$/.test(value) ? value : `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
