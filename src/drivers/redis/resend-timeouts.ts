/**
 * `resilience.retryTimeouts`, as redis-py's `retry_on_timeout` and go-redis have it: a call whose reply did not come in
 * time is sent again, each time with a deadline of its own. Only where that is safe: an INCR is not.
 */
import { ClientClosedError, ClientOfflineError } from "redis";
import { isHoldfastError, mayResend } from "../../call/index.ts";
import { describeCommand } from "./commands/index.ts";
import type { Core } from "./core.ts";
import type { CommandOptions, RedisArgument } from "./library.ts";

/**
 * One command, sent at most `retry.maxRetries` times more. There is no wait between the sends: they are a whole deadline
 * apart, and a connection that was silent for so long is replaced first.
 */
export async function sendAgainOnTimeout(
  core: Core,
  args: readonly RedisArgument[],
  options: CommandOptions | undefined,
): Promise<unknown> {
  const { retry } = core.settings.resolved;
  let earlier: unknown;
  for (let sends = 1; ; sends++) {
    try {
      return await core.send(args, options);
    } catch (error) {
      const { effect, kind } = describeCommand(args);
      // A send that got no reply may have been applied, and no later failure takes that back.
      if (earlier !== undefined && effect !== "read" && tellsLess(error)) throw earlier;
      if (!isHoldfastError(error) || error.code !== "HF_DEADLINE" || error.step !== "reply") throw error;
      const call = { effect, kind, bytes: 0, signal: options?.abortSignal };
      if (kind === "blocking" || !mayResend(call, "maybe-applied", sends, retry)) throw error;
      earlier = error;
    }
  }
}

/** The client's own refusal, which knows of its own send only; an error reply of the server is the server's word. */
function tellsLess(error: unknown): boolean {
  if (isHoldfastError(error)) return error.outcome !== "maybe-applied";
  return error instanceof ClientClosedError || error instanceof ClientOfflineError;
}
