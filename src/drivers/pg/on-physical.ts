/** A shell right on one connection of the pool, for hooks and listeners of the pool: nothing is supervised there. */
import { settle } from "../../sql/index.ts";
import type { Job } from "./job.ts";
import type { LibraryQuery } from "./library.ts";
import type { Physical } from "./physical.ts";
import { escapesKnown } from "./session-core.ts";
import { ShellClient } from "./shell.ts";

/** While a hook runs, what it sends belongs to the set-up of this connection: it is done again after a reset. */
export class BareClient extends ShellClient {
  declaring = false;
  readonly #physical: Physical;

  constructor(inert: object, physical: Physical) {
    super(inert);
    this.#physical = physical;
    this.show(physical);
    this.attach({
      callDeadlineMs: undefined,
      physical,
      names: new Map(),
      get escapesKnown() {
        return escapesKnown(physical);
      },
      submit: (job) => this.#submit(job),
    });
  }

  #submit(job: Job): void {
    const { text, values } = job.query as LibraryQuery;
    if (this.declaring && typeof text === "string") this.#physical.declared.push({ text, values });
    settle(job, this.#physical.send(job));
  }

  release(error?: unknown): void {
    if (error) this.#physical.destroy();
  }

  override end(callback?: () => void): unknown {
    const ended = this.#physical.end();
    if (callback === undefined) return ended;
    void ended.then(callback);
    return undefined;
  }
}

const shells: WeakMap<Physical, BareClient> = new WeakMap();

/** One for each connection, so that listeners can tell connections apart. */
export function bareClient(inert: object, physical: Physical): BareClient {
  const known = shells.get(physical);
  if (known !== undefined) return known;
  const made = new BareClient(inert, physical);
  shells.set(physical, made);
  return made;
}
