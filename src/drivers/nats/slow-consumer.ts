import type { Subscription } from "@nats-io/transport-node";

/** A subscription (with `slow` set) has more messages waiting than it allows. */
export class SlowConsumer extends Error {
  readonly subscription: Subscription;
  readonly pending: number;

  constructor(subscription: Subscription, pending: number) {
    super(`slow consumer: ${pending} messages are waiting on "${subscription.getSubject()}"`);
    this.name = "SlowConsumer";
    this.subscription = subscription;
    this.pending = pending;
  }
}
