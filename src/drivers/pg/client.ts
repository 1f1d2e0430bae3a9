/** `new Client()`: the library's own client, on a link of ours. */
import { HoldfastError } from "../../call/index.ts";
import { processGovernor } from "../../governor/index.ts";
import { Link } from "../../link/index.ts";
import { type Resilience, resilienceOf } from "../../observe/index.ts";
import { runTransaction, type TransactionOptions } from "../../sql/index.ts";
import { ownDriver } from "./driver.ts";
import { isConflict, isReadOnly } from "./errors.ts";
import type { Callback } from "./library.ts";
import type { Physical } from "./physical.ts";
import { SessionCore } from "./session-core.ts";
import { readGiven, readSettings } from "./settings.ts";
import { ShellClient } from "./shell.ts";

export class HoldfastClient extends ShellClient {
  readonly resilience: Resilience;
  readonly core: SessionCore;
  #asked = false;
  #wasReady = false;
  #unrefed = false;

  /** Dials nothing. @throws `HF_OPTION` */
  constructor(options?: unknown) {
    const { own, resilience } = readGiven(options);
    const settings = readSettings(own, resilience);
    super(settings.inert);
    const { resolved, plan, endpoints, callDeadlineMs, name } = settings;
    const link = new Link<Physical>({
      ...resolved,
      name,
      driver: ownDriver(plan),
      endpoints,
      permits: resolved.permits ?? processGovernor,
    });
    this.core = new SessionCore(link, this, callDeadlineMs);
    this.attach(this.core);
    this.resilience = resilienceOf(link);
    this.#tellAsTheLibrary(link);
  }

  get link(): Link<Physical> {
    return this.core.link;
  }

  /** `connect` once; `error` and `end` when it is over. A loss in between is told by `resilience`. */
  #tellAsTheLibrary(link: Link<Physical>): void {
    const ready = (): void => {
      if (this.#unrefed) link.connection?.wire.unref();
    };
    link.on("connected", () => {
      this.#wasReady = true;
      ready();
      this.emit("connect");
    });
    link.on("reconnected", ready);
    link.on("closed", ({ cause, why }) => {
      const failed = cause !== undefined && why !== "user" && why !== "drained";
      this._ended = true;
      this._queryable = !failed;
      // What could not be connected is told by `connect`.
      if (failed && this.#wasReady && this.listenerCount("error") > 0) {
        this.emit("error", link.closedError());
      }
      this.emit("end");
    });
  }

  override connect(callback?: Callback): unknown {
    const connecting = this.#connect();
    if (callback === undefined) return connecting;
    connecting.then(
      () => callback(null, this),
      (error: unknown) => callback(error),
    );
    return undefined;
  }

  async #connect(): Promise<this> {
    if (this.#asked) throw new Error("Client has already been connected. You cannot reuse a client.");
    this.#asked = true;
    await this.link.connect();
    return this;
  }

  /** Finishes what was asked, says goodbye, closes. */
  override end(callback?: () => void): unknown {
    this._ending = true;
    const { link } = this;
    const over = link.phase === "ready" ? link.drain() : link.close();
    if (callback === undefined) return over;
    void over.then(() => callback());
    return undefined;
  }

  override ref(): void {
    this.#unrefed = false;
    super.ref();
  }

  override unref(): void {
    this.#unrefed = true;
    super.unref();
  }

  transaction<T>(work: (client: this) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return transactionOn(this, this.core, () => work(this), options);
  }
}

/** The same on any client that a caller holds. */
export function transactionOn<T>(
  client: ShellClient,
  core: SessionCore,
  work: () => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  const ask = async (sql: string): Promise<string> => {
    const { command } = (await client.query(sql)) as { readonly command: string };
    return command;
  };
  return runTransaction(
    {
      passed: () => core.line.passed,
      begin: () => ask("BEGIN"),
      work,
      async commit() {
        // To the COMMIT of a transaction that has failed the server answers with a rollback, and no error.
        if ((await ask("COMMIT")) !== "ROLLBACK") return;
        throw new HoldfastError(
          "HF_UNRECOVERABLE",
          "a statement of the transaction had failed: it was rolled back",
          {
            outcome: "not-applied",
            details: { lost: ["transaction"] },
          },
        );
      },
      // What was open went with its connection: there is nothing to roll back.
      rollback: async () => core.line.forgive() || (await ask("ROLLBACK")),
      isConflict: (error) => isConflict(error) || isReadOnly(error),
    },
    options,
  );
}
