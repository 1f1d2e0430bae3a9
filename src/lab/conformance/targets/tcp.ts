/** The suite's adapter for `holdfast/tcp`, against the lab's TCP service in a process of its own. */
import { startTcpServiceProcess } from "../../tcp-service/index.ts";
import type { ConformanceTarget, OpenOptions, TargetClient, TargetServer } from "../target.ts";
import { heartbeatPayload, isHeartbeatReply, ServiceClient } from "./tcp-client.ts";

export const tcpTarget: ConformanceTarget = {
  driver: "tcp",
  lacks: {
    credentials: "plain TCP has no credentials",
    session: "plain TCP has no session",
    replies: "plain TCP has no replies: what is taken by the kernel is all the driver knows",
  },
  proves: ["L"],
  startServer,
  open,
};

async function startServer(): Promise<TargetServer> {
  const { server, applied } = await startTcpServiceProcess();
  return {
    host: server.host,
    port: server.port,
    description: `TCP service on Node.js ${server.version}, journal`,
    get running() {
      return server.running;
    },
    connectionCount: () => server.connectionCount(),
    audit: applied,
    kill9: () => server.kill9(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function open({ endpoints, resilience, callDeadlineMs, noGreeting }: OpenOptions): TargetClient {
  const { idleProbeMs, probeTimeoutMs } = resilience.liveness ?? {};
  const client = new ServiceClient({
    deadlineMs: callDeadlineMs,
    greets: noGreeting !== true,
    options: {
      endpoints,
      resilience,
      // What a probe is to a driver that speaks its server's language, a heartbeat is to TCP.
      ...(idleProbeMs !== false && {
        heartbeat: {
          payload: heartbeatPayload,
          isReply: isHeartbeatReply,
          ...(idleProbeMs !== undefined && { intervalMs: idleProbeMs }),
          ...(probeTimeoutMs !== undefined && { timeoutMs: probeTimeoutMs }),
        },
      }),
    },
  });
  return {
    resilience: client.tcp.resilience,
    connect: (signal) => client.tcp.start(signal),
    write: (id) => client.write(id),
    read: () => client.ping(),
    close: () => client.tcp.close(),
  };
}
