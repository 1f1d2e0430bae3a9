import type { ResolvedResilience } from "../../options/index.ts";
import { lookupAddresses } from "./lookup.ts";
import type { NatsPlan } from "./options.ts";
import type { ServerBook } from "./server-book.ts";
import { TappedTransport } from "./transport.ts";
import { WebSocketWire } from "./websocket.ts";
import type { MakeWire } from "./wire.ts";

/** Node's timers end here. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** @param secured hears that an attempt uses TLS, also when only the server demanded it */
export function makeWires(
  { webSocket, own }: NatsPlan,
  { world, tcpKeepAliveMs, policy, endpointOptions }: ResolvedResilience,
  book: ServerBook,
  secured: () => void,
): MakeWire {
  if (webSocket !== undefined) return (dial) => new WebSocketWire(dial, book.urlOf(dial.endpoint), webSocket);
  const options = {
    keepAliveMs: tcpKeepAliveMs,
    lookup: lookupAddresses(endpointOptions.order === "shuffled" ? world.random : undefined, own.lookup),
    // Time for three addresses within one attempt, for Node takes one after the other; the next attempt shuffles them.
    addressTimeoutMs: Math.max(250, Math.ceil(Math.min(policy.connectTimeoutMs, LONGEST_TIMER_MS) / 3)),
    secured,
  };
  return (dial) => new TappedTransport(dial, options);
}
