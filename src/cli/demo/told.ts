/** A link's events as lines for people. */
import { reasonOf } from "../../call/index.ts";
import { type Resilience, redact } from "../../observe/index.ts";
import { counted, oneLine, span } from "./text.ts";

export type Mood = "good" | "bad" | "plain";

const reason = (cause: unknown): string => oneLine(redact(reasonOf(cause)));

/** Tells each event worth a line. */
export function tellEvents(resilience: Resilience, tell: (line: string, mood: Mood) => void): void {
  resilience.on("disconnected", ({ cause, upMs }) => {
    const why = cause === undefined ? "closed by its owner" : `lost: ${reason(cause)}`;
    tell(`${why} (was up ${span(upMs)})`, cause === undefined ? "plain" : "bad");
  });
  resilience.on("attemptFailed", ({ attempt, cause, nextDelayMs }) => {
    const next = nextDelayMs === undefined ? "no further one" : `next in ${span(nextDelayMs)}`;
    tell(`attempt ${attempt} failed: ${reason(cause)}; ${next}`, "bad");
  });
  resilience.on("reconnected", ({ attempts, downMs }) =>
    tell(`reconnected after ${span(downMs)}, ${counted(attempts, "attempt")}`, "good"),
  );
  resilience.on("halfOpen", ({ silentMs }) =>
    tell(`half-open: nothing heard for ${span(silentMs)}, given up`, "bad"),
  );
  resilience.on("restoreRefused", ({ items }) =>
    tell(`the server refused to restore ${items.map(({ item }) => item).join(", ")}`, "bad"),
  );
  resilience.on("gap", ({ subscription, downMs }) =>
    tell(`subscription ${oneLine(subscription)} missed ${span(downMs)}`, "bad"),
  );
  resilience.on("asyncError", ({ error }) => tell(reason(error), "bad"));
  resilience.on("closed", ({ why, cause }) => {
    const ours = why === "user" || why === "drained";
    tell(
      ours || cause === undefined ? `closed (${why})` : `closed (${why}): ${reason(cause)}`,
      ours ? "plain" : "bad",
    );
  });
}
