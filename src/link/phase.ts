/** Where a link is; see the state diagram in ARCHITECTURE.md. */
export type LinkPhase =
  | "idle"
  | "parked"
  | "dialing"
  | "restoring"
  | "ready"
  | "waiting"
  | "dormant"
  | "closing"
  | "closed";

/** Why a link closed for good. */
export type CloseReason =
  | "user"
  | "drained"
  | "drain-timeout"
  | "first-connect-failed"
  | "attempts-exhausted"
  | "time-exhausted"
  | "schedule-exhausted"
  | "auth"
  | "fatal"
  | "reconnect-disabled";
