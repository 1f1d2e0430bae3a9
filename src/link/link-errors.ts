import { HoldfastError, reasonOf } from "../call/index.ts";
import type { CloseReason } from "./phase.ts";

/** The one error of a link that is over: says why, with the last failure underneath. */
export function closedError(why: CloseReason, cause: unknown): HoldfastError {
  const because = cause === undefined ? "" : `: ${reasonOf(cause)}`;
  switch (why) {
    case "user":
    case "drained":
      return new HoldfastError("HF_CLOSED", "the link was closed by its owner");
    case "drain-timeout":
      return new HoldfastError("HF_CLOSED", "the link was closed: draining took longer than allowed", {
        step: "drain",
      });
    case "auth":
      return new HoldfastError("HF_AUTH", `the server refused the credentials${because}`, { cause });
    case "fatal":
      return new HoldfastError("HF_CLOSED", `the link can't go on${because}`, { cause });
    case "reconnect-disabled":
      return new HoldfastError("HF_CLOSED", `the connection was lost and reconnecting is off${because}`, {
        cause,
      });
    default:
      return new HoldfastError("HF_CONNECT", `no connection (${why})${because}`, { cause });
  }
}
