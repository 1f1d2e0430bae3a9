import { isHoldfastError } from "../../call/index.ts";

/** What a client was told about one write. `answered`: the server itself said no. `untold`: an error without outcome. */
export type Told = "acknowledged" | "not-applied" | "maybe-applied" | "answered" | "untold";

/** What an error tells about a write: the outcome it carries; `isAnswer` recognises the server's own replies. */
export function toldBy(error: unknown, isAnswer: (error: unknown) => boolean = () => false): Told {
  if (isHoldfastError(error)) return error.outcome ?? "untold";
  return isAnswer(error) ? "answered" : "untold";
}
