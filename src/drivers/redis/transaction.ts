/** WATCH and MULTI: what lives and dies with one connection, and what must fail when that connection is gone. */
import { WatchError } from "redis";
import type { Session } from "../../link/index.ts";
import type { RedisConnection } from "./connection.ts";

const watchKey = "watch";

/** A MULTI sent as a plain command, and the connection it went to. */
interface Raw {
  on: RedisConnection | undefined;
}

/** Called with the connection that a command is about to use. @throws WatchError when it may not */
export type Binding = (connection: RedisConnection) => void;

export class Transaction {
  readonly #session: () => Session;
  #watchedOn: RedisConnection | undefined;
  #raw: Raw | undefined;
  /** Why the next EXEC must fail; set by `setDirtyWatch`. */
  dirtyWatch: string | undefined;

  constructor(session: () => Session) {
    this.#session = session;
  }

  get isWatching(): boolean {
    return this.#watchedOn !== undefined;
  }

  /** Between a plain MULTI and its EXEC or DISCARD: every command belongs to it. */
  get isRaw(): boolean {
    return this.#raw !== undefined;
  }

  /** A plain command of that name is issued. `undefined`: it may use any connection. */
  bind(name: string): Binding | undefined {
    const raw = this.#raw;
    if (raw !== undefined) {
      if (name === "EXEC" || name === "DISCARD") this.#raw = undefined;
      return (connection) => {
        if (raw.on !== connection) throw new WatchError("Client reconnected after MULTI");
      };
    }
    if (name !== "MULTI") return undefined;
    const begun: Raw = { on: undefined };
    this.#raw = begun;
    const watched = this.#bindToWatch();
    return (connection) => {
      watched?.(connection);
      begun.on = connection;
    };
  }

  /** A plain command failed; a MULTI that never began holds nothing. */
  failed(name: string): void {
    if (name === "MULTI") this.#raw = undefined;
  }

  /** A plain command succeeded. */
  done(name: string, connection: RedisConnection): void {
    if (name === "WATCH") {
      this.#watchedOn ??= connection;
      this.#session().poison(watchKey, "keys were watched on a connection that is gone");
    } else if (name === "EXEC" || name === "DISCARD" || name === "UNWATCH") this.#unwatch();
  }

  /** The watched keys' connection for the MULTI that begins now, which ends the watch. @throws WatchError */
  take(): Binding | undefined {
    const reason = this.dirtyWatch;
    this.dirtyWatch = undefined;
    const watched = this.#bindToWatch();
    this.#unwatch();
    if (reason !== undefined) throw new WatchError(reason);
    return watched;
  }

  forget(): void {
    this.#raw = undefined;
    this.dirtyWatch = undefined;
    this.#unwatch();
  }

  #bindToWatch(): Binding | undefined {
    const watchedOn = this.#watchedOn;
    if (watchedOn === undefined) return undefined;
    return (connection) => {
      if (connection === watchedOn) return;
      if (this.#watchedOn === watchedOn) this.#unwatch();
      throw new WatchError("Client reconnected after WATCH");
    };
  }

  #unwatch(): void {
    if (this.#watchedOn === undefined) return;
    this.#watchedOn = undefined;
    this.#session().cure(watchKey);
  }
}
