/** Answers requests, in a process of its own: its work is nobody's overhead. */
import { connect } from "@nats-io/transport-node";
import { ECHO } from "./nats-peers.ts";

const nc = await connect({ port: Number(process.argv[2]) });
nc.subscribe(ECHO, { callback: (_error, message) => void message.respond(message.data) });
await nc.flush();
process.send?.("ready");
