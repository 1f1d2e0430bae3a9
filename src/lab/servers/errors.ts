import { HoldfastError } from "../../call/index.ts";

/**
 * The lab needs a server that this machine doesn't have and that could not be fetched.
 * `ways` says how to get it, one way a line; `code` is `HF_SERVER_UNAVAILABLE`.
 */
export class ServerUnavailable extends HoldfastError {
  readonly server: string;
  readonly ways: readonly string[];
  /** False where the tool to get it is missing too: a check that wants every server then goes on without. */
  readonly required: boolean;

  constructor(server: string, reason: string, ways: readonly string[], cause?: unknown, required = true) {
    super(
      "HF_SERVER_UNAVAILABLE",
      `${server} is not available: ${reason}. To get it: ${ways.join("; or ")}.`,
      {
        details: { server, reason, ways },
        ...(cause === undefined ? {} : { cause }),
      },
    );
    this.name = "ServerUnavailable";
    this.server = server;
    this.ways = ways;
    this.required = required;
  }
}
