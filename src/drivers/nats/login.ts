import {
  type Auth,
  type Authenticator,
  type ConnectionOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
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

  /**
   * The library's options: it calls all authenticators at each handshake and merges what they say. It would put those
   * for `user` and `token` last; the last word is ours.
   */
  library(): ConnectionOptions {
    const { user, pass, token, authenticator: given, ...rest } = this.#plan.library;
    const own: Authenticator = (nonce) => {
      const asked = typeof this.#asked === "function" ? this.#asked(nonce) : this.#asked;
      return { ...(this.#plan.urlLogin && this.#book.login()), ...asked } as Auth;
    };
    const authenticator = [
      ...(Array.isArray(given) ? given : given === undefined ? [] : [given]),
      ...(token ? [tokenAuthenticator(token)] : []),
      ...(user ? [usernamePasswordAuthenticator(user, pass)] : []),
      own,
    ];
    return { ...rest, authenticator };
  }

  /** Asks `credentials`, if there is one; what it throws fails the attempt. */
  ask(dial: Dial): Promise<void> | undefined {
    const { credentials } = this.#plan.own;
    if (credentials === undefined) return undefined;
    const { attempt, signal } = dial;
    return (async () => {
      const answer = await credentials({ server: endpointId(dial.endpoint), attempt, signal });
      // A late answer must not log in the attempt after the one that it was for.
      if (!signal.aborted) this.#asked = answer;
    })();
  }
}
