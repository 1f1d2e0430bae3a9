/** One connection of a pool: a client of ours, on a link of its own, and what the pool must know of it. */
import { isHoldfastError } from "../../call/index.ts";
import type { Connector } from "../../pool/index.ts";
import type { Core } from "./core.ts";
import { classifyRedisLink } from "./errors.ts";
import type { LibraryClient } from "./library.ts";
import { coreOf, type Shell } from "./shell.ts";

export class Member {
  readonly client: LibraryClient;
  /** A borrower has it: its link then sees to its own losses, so that what it has in flight ends as it should. */
  lent = false;
  readonly #core: Core;
  #lostCause: unknown;

  constructor(client: LibraryClient) {
    this.client = client;
    this.#core = (client as unknown as Shell)._self[coreOf];
  }

  /** @param lost told when it is gone in nobody's hands */
  async open(
    signal: AbortSignal,
    lost: (cause: unknown) => void,
    heard: (error: unknown) => void,
  ): Promise<void> {
    const { resilience } = this.#core;
    const gone = (cause: unknown): void => {
      this.#lostCause = cause;
      if (!this.lent) lost(cause);
    };
    resilience.on("disconnected", ({ cause }) => gone(cause ?? new Error("closed")));
    resilience.on("closed", ({ cause }) => gone(cause ?? new Error("closed")));
    this.client.on("error", heard);
    const leave = (): void => void this.close();
    signal.addEventListener("abort", leave, { once: true });
    try {
      signal.throwIfAborted();
      await this.#core.connect();
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  close(): Promise<void> {
    return this.#core.destroy();
  }

  /** Why it can't be lent again; `undefined` when it can. */
  get broken(): unknown {
    if (this.#core.isReady) return undefined;
    return this.#lostCause ?? new Error("the connection was closed by its borrower");
  }

  /** A borrower left something that the next one would be surprised by. */
  get dirty(): boolean {
    const { link, transaction, subscriptions, monitor } = this.#core;
    return (
      link.session.version > 0 ||
      transaction.isWatching ||
      transaction.isRaw ||
      subscriptions.active ||
      monitor !== undefined ||
      this.#isBlocked
    );
  }

  /** A command is on its way whose caller has left (a BLPOP, aborted): whatever comes behind it would wait too. */
  get #isBlocked(): boolean {
    const { link } = this.#core;
    return link.connection?.quiet === false && link.snapshot().inFlight === 0;
  }
}

export function memberConnector(
  make: () => LibraryClient,
  heard: (error: unknown) => void,
): Connector<Member> {
  return {
    async open({ signal, lost }) {
      const member = new Member(make());
      await member.open(signal, lost, heard);
      return member;
    },
    close: (member) => member.close(),
    async validate({ client }, signal) {
      await client.withAbortSignal(signal).ping();
    },
    reset: ({ dirty }) =>
      dirty ? Promise.reject(new Error("its borrower left a changed session behind")) : undefined,
    // A link's own verdict is in the code of its error.
    classify(error) {
      if (!isHoldfastError(error)) return classifyRedisLink(error, "dial");
      if (error.code === "HF_AUTH") return "auth";
      return error.code === "HF_OPTION" ? "fatal" : "transient";
    },
  };
}
