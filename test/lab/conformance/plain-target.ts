/** The suite's adapter for the plain driver. */
import { type ConformanceTarget, startTcpService } from "../../../src/lab/index.ts";
import { resilienceOf } from "../../../src/observe/index.ts";
import { plainLink, plainRead, plainWrite } from "./plain-driver.ts";

export const plainTarget: ConformanceTarget = {
  driver: "plain",
  proves: [],
  lacks: { credentials: "the TCP service asks for none", session: "the TCP service keeps none" },

  async startServer() {
    const service = await startTcpService();
    return {
      host: service.host,
      port: service.port,
      description: "TCP service",
      get running() {
        return service.listening;
      },
      connectionCount: async () => service.liveSockets,
      audit: async () => new Map(service.ledger.ids.map((id) => [id, service.ledger.count(id)])),
      kill9: () => service.kill(),
      restart: () => service.restart(),
      [Symbol.asyncDispose]: () => service.kill(),
    };
  },

  open({ endpoints, resilience, callDeadlineMs = 60_000 }) {
    const link = plainLink(endpoints, resilience);
    return {
      resilience: resilienceOf(link),
      connect: (signal) => link.connect(signal),
      write: (id) => plainWrite(link, id, callDeadlineMs),
      read: () => plainRead(link, callDeadlineMs),
      close: () => link.close(),
    };
  },
};
