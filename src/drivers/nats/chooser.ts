import type { ConnectionOptions, Server, ServerInfo } from "@nats-io/transport-node";
import type { Candidate } from "../../endpoint/index.ts";
import type { Chooser } from "../../link/index.ts";

/**
 * nats.js' `reconnectToServer` as a chooser; the default choice comes first in the pool it is shown. A handler that
 * throws, or names a server that is not in the pool, is reported and gets the default choice; in the library it closes
 * the connection for good.
 */
export function chooserOf(
  handler: NonNullable<ConnectionOptions["reconnectToServer"]>,
  show: (candidate: Candidate) => Server,
  info: () => ServerInfo | null,
  report: (error: unknown) => void,
): Chooser {
  return ({ candidates }) => {
    try {
      const answer = handler(candidates.map(show), info());
      if (answer === null || answer === undefined) return undefined;
      const { server, delay } = "delay" in answer ? answer : { server: answer, delay: 0 };
      const known = candidates.find((candidate) => candidate.id === server?.listen);
      if (known === undefined) throw new Error("reconnectToServer returned a server that is not in the pool");
      return { endpointId: known.id, delayMs: Number.isFinite(delay) && delay > 0 ? Math.floor(delay) : 0 };
    } catch (error) {
      report(error);
      return undefined;
    }
  };
}
