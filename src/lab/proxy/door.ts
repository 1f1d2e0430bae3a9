/** The proxy's port: open, refusing, or frozen. Changes are made one after the other; refusing starts at once. */
import type { Socket } from "node:net";
import type { Clock } from "../../time/index.ts";
import { FrozenListener } from "./frozen.ts";
import { Listener } from "./listener.ts";

export type DoorState = "open" | "refuse" | "freeze-full" | "freeze-mute";

export class Door {
  readonly #listener: Listener;
  readonly #clock: Clock;
  #wanted: DoorState = "open";
  #frozen: { readonly state: DoorState; readonly listener: FrozenListener } | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(host: string, clock: Clock, accept: (socket: Socket) => void) {
    this.#clock = clock;
    this.#listener = new Listener(host, accept);
  }

  get port(): number {
    return this.#listener.port;
  }

  start(port: number): Promise<void> {
    return this.#listener.start(port);
  }

  /** Resolves when the port is in that state; rejects when it could not be listened on. */
  set(wanted: DoorState): Promise<void> {
    if (this.#closed) return this.#work;
    this.#wanted = wanted;
    if (wanted !== "open") this.#listener.refuse();
    return this.#enqueue(() => this.#settle());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wanted = "refuse";
    this.#listener.refuse();
    await this.#enqueue(() => this.#settle());
    await this.#listener.close();
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    const done = this.#work.then(step);
    this.#work = done.catch(() => {}); // told to whoever asked for this step; the next one is not held up
    return done;
  }

  async #settle(): Promise<void> {
    const wanted = this.#wanted;
    if (this.#frozen && this.#frozen.state !== wanted) {
      const { listener } = this.#frozen;
      this.#frozen = undefined;
      await listener.stop();
    }
    if (wanted === "open") {
      if (!this.#listener.listening) await this.#listener.listen();
    } else this.#listener.refuse();
    if ((wanted === "freeze-full" || wanted === "freeze-mute") && !this.#frozen) {
      const full = wanted === "freeze-full";
      const { host, port } = this.#listener;
      const listener = await FrozenListener.start({ host, port, full, clock: this.#clock });
      this.#frozen = { state: wanted, listener };
    }
  }
}
