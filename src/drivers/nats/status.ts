/** The library's `status()` events, told from the engine's: one for each transition, with what really happened. */
import type { ProtocolHandler } from "@nats-io/transport-node";
import { isHoldfastError } from "../../call/index.ts";
import type { Link } from "../../link/index.ts";

export function tellStatus<C>(link: Link<C>, protocol: ProtocolHandler): void {
  let everConnected = false;
  link.on("connected", () => {
    everConnected = true;
  });
  link.on("disconnected", ({ endpoint, cause }) => {
    if (isHoldfastError(cause) && cause.details?.asked === true)
      protocol.dispatchStatus({ type: "forceReconnect" });
    protocol.dispatchStatus({ type: "disconnect", server: endpoint });
  });
  link.on("attempt", () => {
    if (everConnected) protocol.dispatchStatus({ type: "reconnecting" });
  });
  link.on("reconnected", ({ endpoint }) => protocol.dispatchStatus({ type: "reconnect", server: endpoint }));
  link.on("discovered", ({ added, removed }) =>
    protocol.dispatchStatus({ type: "update", added: [...added], deleted: [...removed] }),
  );
  link.on("halfOpen", () => protocol.dispatchStatus({ type: "staleConnection" }));
}
