import { type Channel, channel, hasSubscribers } from "node:diagnostics_channel";
import type { Link, LinkEvents } from "../link/index.ts";

/** The link events that are published, each on the channel `holdfast:link:<event>`. */
export type TracedEvent = Exclude<
  keyof LinkEvents,
  "asyncError" | "discovered" | "lameDuck" | "restoreRefused"
>;

export const tracedEvents: readonly TracedEvent[] = [
  "state",
  "attempt",
  "attemptFailed",
  "connected",
  "disconnected",
  "reconnected",
  "halfOpen",
  "unconfirmed",
  "gap",
  "closed",
];

/** What a subscriber of `holdfast:link:<event>` receives. */
export interface TracedMessage<K extends TracedEvent = TracedEvent> {
  readonly link: string;
  readonly event: K;
  readonly data: LinkEvents[K];
}

/** Publishes a link's events on diagnostics channels; costs one check each while nobody listens. */
export function trace<C>(link: Link<C>): void {
  for (const event of tracedEvents) {
    const name = `holdfast:link:${event}`;
    const target: Channel = channel(name);
    link.on(event, (data) => {
      if (hasSubscribers(name)) target.publish({ link: link.name, event, data });
    });
  }
}
