import { type Channel, channel } from "node:diagnostics_channel";
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

const channels: ReadonlyMap<keyof LinkEvents, Channel> = new Map(
  tracedEvents.map((event) => [event, channel(`holdfast:link:${event}`)]),
);

/** Publishes a link's events on diagnostics channels; costs one look-up each while nobody listens. */
export function trace<C>(link: Link<C>): void {
  link.tap((event, data) => publish(link.name, event, data));
}

/** The same for one event, for a link whose tap is somebody else's. */
export function publish<K extends keyof LinkEvents>(link: string, event: K, data: LinkEvents[K]): void {
  const target = channels.get(event);
  if (target?.hasSubscribers) target.publish({ link, event, data });
}
