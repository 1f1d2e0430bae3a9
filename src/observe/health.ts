import type { LinkSnapshot } from "../link/index.ts";
import { explain } from "./explain.ts";

/** For readiness and liveness probes. */
export interface Health {
  /**
   * `up`: calls pass, or a lazy link has no connection yet and nothing speaks against one. `degraded`: they wait, or a
   * lazy link's last attempt failed. `down`: they fail.
   */
  readonly status: "up" | "degraded" | "down";
  readonly reason: string;
  /** How long calls have not passed; 0 when up. */
  readonly downMs: number;
}

export function health(snapshot: LinkSnapshot): Health {
  const reason = explain(snapshot);
  switch (snapshot.phase) {
    case "ready":
    case "dormant":
      // A draining link takes no new calls: whoever balances load must look elsewhere.
      if (snapshot.draining) return { status: "down", reason, downMs: 0 };
      // Asleep in the middle of an episode: its last attempt failed, and nobody has called since.
      if (snapshot.attempt > 0 && snapshot.phase === "dormant")
        return { status: "degraded", reason, downMs: snapshot.downMs ?? snapshot.forMs };
      return { status: "up", reason, downMs: 0 };
    case "closing":
    case "closed":
      return { status: "down", reason, downMs: snapshot.forMs };
    default:
      return { status: "degraded", reason, downMs: snapshot.downMs ?? snapshot.forMs };
  }
}
