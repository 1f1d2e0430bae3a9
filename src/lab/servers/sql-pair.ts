/** Two SQL servers with the same data: a primary, and a standby that follows it. */

import type { RunningServer } from "./server.ts";
import { entryOf, type StartOptions, startServer } from "./start.ts";
import { until } from "./until.ts";

export interface SqlPairOptions extends Omit<StartOptions, "replicaOf"> {
  /**
   * A write is acknowledged only once the standby has it (PostgreSQL: `synchronous_standby_names`; MariaDB: semi-sync
   * without a way back). Writes then wait for ever while there is no standby. A restarted MariaDB begins without.
   * Default false.
   */
  readonly synchronous?: boolean;
}

/** How long a standby may take to catch up. */
const CAUGHT_UP_MS = 60_000;

/**
 * A primary and its standby, with real replication between them. Disposing it kills both.
 *
 * ```ts
 * await using pair = await SqlPair.start("postgres", { synchronous: true });
 * await pair.primary.kill9();
 * await pair.promote();          // the standby is the primary now
 * await pair.rejoin();           // the other one comes back as its standby
 * ```
 */
export class SqlPair implements AsyncDisposable {
  /** In the order of their start; the first one was the first primary. */
  readonly servers: readonly [RunningServer, RunningServer];
  readonly #synchronous: boolean;
  #primary: RunningServer;

  private constructor(servers: readonly [RunningServer, RunningServer], synchronous: boolean) {
    this.servers = servers;
    this.#primary = servers[0];
    this.#synchronous = synchronous;
  }

  /** Starts both; resolves when the standby has caught up. Errors: as `startServer`. */
  static async start(name: "mariadb" | "postgres", options: SqlPairOptions = {}): Promise<SqlPair> {
    const { synchronous = false, config, ...rest } = options;
    const { replication } = entryOf(name);
    if (replication === undefined) throw new Error(`the lab knows no replication of ${name}`);
    const given = (member: number): StartOptions => ({
      ...rest,
      config: { ...replication.settings(member), ...config },
    });
    const primary = await startServer(name, given(1));
    try {
      const standby = await startServer(name, { ...given(2), replicaOf: primary });
      const pair = new SqlPair([primary, standby], synchronous);
      try {
        await pair.#settle();
        return pair;
      } catch (error) {
        await standby[Symbol.asyncDispose]();
        throw error;
      }
    } catch (error) {
      await primary[Symbol.asyncDispose]();
      throw error;
    }
  }

  get primary(): RunningServer {
    return this.#primary;
  }

  get standby(): RunningServer {
    const [first, second] = this.servers;
    return this.#primary === first ? second : first;
  }

  /** Resolves when the standby has applied everything that the primary has committed by now. */
  async caughtUp(): Promise<void> {
    const { primary, standby } = this;
    const end = await primary.replication.end();
    await until(`${standby.name} to catch up`, CAUGHT_UP_MS, () => standby.replication.reached(end, primary));
  }

  /**
   * The standby applies what it has received and becomes the primary. The old primary should not run, or only read: the
   * lab does not fence it.
   */
  async promote(): Promise<void> {
    await this.standby.replication.promote();
    this.#primary = this.standby;
  }

  /** The server that is not the primary is stopped, loses its data, and comes back as the primary's standby. */
  async rejoin(): Promise<void> {
    await this.standby.replication.follow(this.primary);
    await this.#settle();
  }

  async #settle(): Promise<void> {
    await this.caughtUp();
    if (this.#synchronous) await this.primary.replication.synchronous(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}
