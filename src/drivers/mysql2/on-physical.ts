/** A shell right on one connection of the pool, for listeners of the pool's events: nothing is supervised there. */
import { settle } from "../../sql/index.ts";
import type { Job } from "./job.ts";
import type { Lender } from "./lender.ts";
import type { LibraryConnection } from "./library.ts";
import type { Physical } from "./physical.ts";
import { attach, ShellPoolConnection, shellConfig, showPhysical } from "./shell.ts";

const shells: WeakMap<Physical, LibraryConnection> = new WeakMap();

/**
 * @param setsUp what is sent now, while the listener runs, belongs to the set-up of this connection: it is done again
 * when the session is reset
 */
export function bareShell(pool: Lender, physical: Physical, setsUp: boolean): LibraryConnection {
  const known = shells.get(physical);
  if (known !== undefined) return known;
  const shell = new ShellPoolConnection(pool, { config: shellConfig(pool.settings.plan.config) });
  showPhysical(shell, physical);
  let declaring = setsUp;
  queueMicrotask(() => {
    declaring = false;
  });
  const submit = (job: Job): void => {
    const { dirty } = physical;
    if (declaring && job.command.sql !== undefined) physical.declared.push(job.command.sql);
    const clean = declaring;
    const sent = physical.send(job);
    if (clean) {
      physical.dirty = dirty;
      const changed = physical.word.changed;
      sent.then(
        () => {
          physical.word.changed = changed;
        },
        () => {},
      );
    }
    settle(job, sent);
  };
  attach(shell, { callDeadlineMs: undefined, physical, submit, wipe: submit, changeUser: submit });
  Object.assign(shell, { release: () => {}, destroy: () => physical.destroy() });
  shells.set(physical, shell);
  return shell;
}
