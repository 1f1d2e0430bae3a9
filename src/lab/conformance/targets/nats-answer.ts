import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";

/** True for the server's own "no": nobody listens there, or JetStream refused. The message was not stored. */
export function isNatsAnswer(error: unknown): boolean {
  if (error instanceof JetStreamApiError || error instanceof errors.NoRespondersError) return true;
  if (error instanceof errors.RequestError) return error.isNoResponders();
  // JetStream's word for "no responders", a class it doesn't export.
  return error instanceof Error && error.name === "JetStreamNotEnabled";
}
