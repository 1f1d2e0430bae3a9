import { redact } from "../call/index.ts";
import type { LinkSnapshot } from "../link/index.ts";

/** One sentence: the state, the reason, and what comes next. Made for a person at three in the morning. */
export function explain(s: LinkSnapshot): string {
  return redact(`${sentence(s)}${backlog(s)}`);
}

function sentence(s: LinkSnapshot): string {
  const cause = s.lastCause === undefined ? "" : `: ${s.lastCause}`;
  switch (s.phase) {
    case "idle":
      return "not started";
    case "dormant":
      if (s.attempt === 0) return "no connection; the next call dials";
      return `no connection, attempt ${s.attempt} failed${cause}; the next call dials`;
    case "parked":
      return `waiting for a permit to dial (attempt ${s.attempt + 1})${cause}`;
    case "waiting":
      return `waiting ${Math.round(s.next?.inMs ?? 0)} ms before attempt ${s.attempt + 1} to ${s.next?.endpoint}${cause}`;
    case "dialing":
      return `dialing ${s.endpoint} (attempt ${s.attempt}, for ${Math.round(s.forMs)} ms)${s.attempt > 1 ? cause : ""}`;
    case "restoring":
      return `restoring the session on ${s.endpoint} (for ${Math.round(s.forMs)} ms)`;
    case "ready":
      return `ready on ${s.endpoint} for ${seconds(s.forMs)}${s.draining ? ", draining" : ""}`;
    case "closing":
      return `closing (${s.why})`;
    case "closed":
      return `closed (${s.why})${s.why === "user" || s.why === "drained" ? "" : cause}`;
  }
}

function backlog(s: LinkSnapshot): string {
  const parts: string[] = [];
  if (s.waiting > 0) parts.push(`${s.waiting} calls waiting (${s.waitingBytes} bytes)`);
  if (s.inFlight > 0) parts.push(`${s.inFlight} in flight`);
  return parts.length === 0 ? "" : `; ${parts.join(", ")}`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
}
