/** The suite's adapter for the plain driver. */
import { type ConformanceTarget, loadTarget } from "../../../src/lab/index.ts";
import { resilienceOf } from "../../../src/observe/index.ts";
import { plainLink, plainRead, plainWrite } from "./plain-driver.ts";

export const plainTarget: ConformanceTarget = {
  driver: "plain",
  proves: [],
  lacks: { credentials: "the TCP service asks for none", session: "the TCP service keeps none" },

  startServer: async () => (await loadTarget("tcp")).startServer(),

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
