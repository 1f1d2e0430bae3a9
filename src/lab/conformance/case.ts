/** A case: a plain function with a name, a deadline, and the items of the sources it proves. */
import type { CaseContext } from "./context.ts";
import type { Lacks } from "./target.ts";

export interface ConformanceCase {
  readonly name: string;
  /** Items of SOURCES or rows of a checklist, such as `N1` or `[mariadb-redis 38]`. */
  readonly items?: readonly string[];
  /** The case is skipped for a driver that lacks this. */
  readonly needs?: keyof Lacks;
  /** Default 20,000 ms. */
  readonly deadlineMs?: number;
  run(context: CaseContext): Promise<void>;
}
