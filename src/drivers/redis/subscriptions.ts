/** The subscriptions of one client, kept beside its connections: each new connection is given all of them. */
import {
  type ChannelListeners,
  type Listener,
  type PubSubKind,
  type PubSubTypeListeners,
  pubSubKinds,
} from "./library.ts";

function asList(channels: string | readonly string[]): readonly string[] {
  return typeof channels === "string" ? [channels] : channels;
}

const none: ReadonlyMap<string, ChannelListeners> = new Map();

export class Subscriptions {
  /** Made with the first subscription: most clients have none. */
  #all: Record<PubSubKind, PubSubTypeListeners> | undefined;
  #guards: WeakMap<Listener, Listener> | undefined;
  readonly #failed: (error: unknown) => void;

  /** @param failed told when a user's listener throws: inside the library's decoder it would break the connection */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  get active(): boolean {
    return pubSubKinds.some((kind) => this.#of(kind).size > 0);
  }

  /** What the user registered, in the library's own shape. */
  listeners(kind: PubSubKind): PubSubTypeListeners {
    return this.#all?.[kind] ?? new Map();
  }

  /** Channels and patterns, for events. */
  names(kind: PubSubKind): readonly string[] {
    return [...this.#of(kind).keys()];
  }

  /** The same listener, unable to throw; always the same one, so that it can be taken off again. */
  guard<L extends Listener>(listener: L): L {
    const known = this.#guards?.get(listener);
    if (known !== undefined) return known as L;
    const guarded = ((message: never, channel: never): void => {
      try {
        const done = listener(message, channel);
        if (done instanceof Promise) done.catch(this.#failed);
      } catch (error) {
        this.#failed(error);
      }
    }) as unknown as L;
    this.#guards ??= new WeakMap();
    this.#guards.set(listener, guarded);
    return guarded;
  }

  add(kind: PubSubKind, channels: string | readonly string[], listener: Listener, buffers: boolean): void {
    this.#all ??= { CHANNELS: new Map(), PATTERNS: new Map(), SHARDED: new Map() };
    for (const channel of asList(channels)) {
      let known = this.#all[kind].get(channel);
      if (known === undefined) {
        known = { unsubscribing: false, buffers: new Set(), strings: new Set() };
        this.#all[kind].set(channel, known);
      }
      (buffers ? known.buffers : known.strings).add(listener as never);
    }
  }

  /** Without channels: all; without a listener: all of the channel. */
  remove(
    kind: PubSubKind,
    channels: string | readonly string[] | undefined,
    listener?: Listener,
    buffers = false,
  ): void {
    const all = this.#all?.[kind];
    if (all === undefined) return;
    if (channels === undefined) return all.clear();
    for (const channel of asList(channels)) {
      const known = all.get(channel);
      if (known === undefined) continue;
      if (listener !== undefined) (buffers ? known.buffers : known.strings).delete(listener as never);
      if (listener === undefined || known.buffers.size + known.strings.size === 0) all.delete(channel);
    }
  }

  /** Every kind's subscriptions with guarded listeners, copied: the library changes what it is given. */
  forConnection(kind: PubSubKind): PubSubTypeListeners {
    const copy: PubSubTypeListeners = new Map();
    for (const [channel, { buffers, strings }] of this.#of(kind))
      copy.set(channel, this.guarded({ buffers, strings }));
    return copy;
  }

  guarded(listeners: Pick<ChannelListeners, "buffers" | "strings">): ChannelListeners {
    const guardAll = <L>(set: Set<L>): Set<L> =>
      new Set([...set].map((listener) => this.guard(listener as unknown as Listener) as unknown as L));
    return {
      unsubscribing: false,
      buffers: guardAll(listeners.buffers),
      strings: guardAll(listeners.strings),
    };
  }

  clear(): void {
    this.#all = undefined;
  }

  #of(kind: PubSubKind): ReadonlyMap<string, ChannelListeners> {
    return this.#all?.[kind] ?? none;
  }
}
