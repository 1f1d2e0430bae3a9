/** What a dial taught about its endpoint; `unused` when it was given up before it could tell. */
export type DialEvidence = "up" | "down" | "unused";

/** A right to dial, or a place in the queue for one. Redeemed exactly once. */
export interface Permit {
  /** Gives the permit back, or leaves the queue. */
  yield(evidence: DialEvidence): void;
}

/** Who may dial when. The governor implements it for the whole process. */
export interface DialPermits {
  /** Calls `grant` once when the dial may begin: at once (before returning) or later. */
  request(endpointId: string, grant: () => void): Permit;
}

/** No limits at all. */
export const freePermits: DialPermits = {
  request(_endpointId, grant) {
    grant();
    return { yield() {} };
  },
};
