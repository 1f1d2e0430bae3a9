import type { World } from "../time/index.ts";
import type { Emitter } from "./emitter.ts";
import type { LinkEvents } from "./events.ts";
import { step } from "./machine.ts";
import type { EmitEffect, LinkEffect, LinkEvent, LinkState } from "./state.ts";

/** Runs the machine. Events that arise on the way wait their turn; listeners hear last, from a queue. */
export class Runner {
  state: LinkState;
  readonly #world: World;
  readonly #events: Emitter<LinkEvents>;
  readonly #perform: (effect: LinkEffect) => void;
  readonly #queue: LinkEvent[] = [];
  readonly #emits: EmitEffect[] = [];
  #running = false;
  #over = false;

  constructor(
    state: LinkState,
    world: World,
    events: Emitter<LinkEvents>,
    perform: (effect: LinkEffect) => void,
  ) {
    this.state = state;
    this.#world = world;
    this.#events = events;
    this.#perform = perform;
  }

  dispatch(event: LinkEvent): void {
    this.#queue.push(event);
    this.#run();
  }

  /** Tells something in its turn, behind what has been noted before it. */
  say(event: EmitEffect): void {
    this.note(event);
    this.#run();
  }

  /** Tells it when the machine next runs. */
  note(event: EmitEffect): void {
    this.#emits.push(event);
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    this.#world.detach(() => {
      try {
        this.#drainQueue();
      } finally {
        this.#running = false;
      }
    });
  }

  #drainQueue(): void {
    const { clock, random } = this.#world;
    for (;;) {
      const event = this.#queue.shift();
      if (event !== undefined) {
        const [state, effects] = step(this.state, event, { nowMs: clock.nowMs(), random });
        this.state = state;
        for (const effect of effects) this.#try(effect);
        continue;
      }
      const emit = this.#emits.shift();
      if (emit === undefined) {
        // Lets go of the room that the queues took: a link is idle most of its life.
        this.#queue.length = 0;
        this.#emits.length = 0;
        return;
      }
      if (this.#over) continue; // `closed` was the last word
      this.#over = emit.name === "closed";
      this.#events.emit(emit.name, emit.data as never);
    }
  }

  /** What throws in one effect must not keep the others from being carried out. */
  #try(effect: LinkEffect): void {
    try {
      this.#perform(effect);
    } catch (error) {
      this.note({ name: "asyncError", data: { error } });
    }
  }
}
