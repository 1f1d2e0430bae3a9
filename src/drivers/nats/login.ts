import type { Auth, Authenticator, ConnectionOptions } from "@nats-io/transport-node";
import { endpointId } from "../../endpoint/index.ts";
import type { Dial } from "../../link/index.ts";
import type { NatsPlan } from "./options.ts";
import type { ServerBook } from "./server-book.ts";

/** What an attempt logs in with: the owner's authenticators, the server's URL, and what `credentials` answered. */
export class Login {
  readonly #plan: NatsPlan;
  readonly #book: ServerBook;
  /** The answer for the attempt under way. */
  #asked: Auth | Authenticator | undefined;

  constructor(plan: NatsPlan, book: ServerBook) {
    this.#plan = plan;
    this.#book = book;
  }

  /** For the library, which calls them all at each handshake and merges what they say; ours is the last. */
  authenticators(given: ConnectionOptions["authenticator"]): Authenticator[] {
    const own: Authenticator = (nonce) => {
      const asked = typeof this.#asked === "function" ? this.#asked(nonce) : this.#asked;
      return { ...(this.#plan.urlLogin && this.#book.login()), ...asked } as Auth;
    };
    return [...(Array.isArray(given) ? given : given === undefined ? [] : [given]), own];
  }

  /** Asks `credentials`, if there is one; what it throws fails the attempt. */
  ask(dial: Dial): Promise<void> | undefined {
    const { credentials } = this.#plan.own;
    if (credentials === undefined) return undefined;
    const { attempt, signal } = dial;
    return (async () => {
      this.#asked = await credentials({ server: endpointId(dial.endpoint), attempt, signal });
    })();
  }
}
