import { connect } from "node:net";
import { systemClock } from "../../time/index.ts";

/** A server that answers slower than this is not ready. */
const ANSWER_DEADLINE_MS = 1_000;

/**
 * One question to a text protocol: connects, sends `question`, and resolves with all text received once `isWhole`
 * says that it is whole, or the peer ended. Rejects on any error and at a deadline. The socket is gone afterwards.
 */
export function ask(
  host: string,
  port: number,
  question: string,
  isWhole: (text: string) => boolean,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ host, port });
    const timer = systemClock.setTimer(ANSWER_DEADLINE_MS, () => {
      socket.destroy(new Error(`no whole answer within ${ANSWER_DEADLINE_MS} ms`));
    });
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(question));
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (isWhole(text)) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      timer.cancel();
      resolve(text); // no effect after an error
    });
  });
}
