/** Room `link`: one supervised connection. */
export {
  type CallVerdict,
  type Dial,
  type Driver,
  type LinkClass,
  type LinkPhaseName,
  type RestoreReport,
  type Sink,
  type TappedSocket,
  takenBack,
} from "./driver.ts";
export { Emitter } from "./emitter.ts";
export { Entry, type Judge } from "./entry.ts";
export type { LinkEvents } from "./events.ts";
export { Gate } from "./gate.ts";
export type { GateOptions, GateOwner } from "./gate-owner.ts";
export { Link } from "./link.ts";
export type { LinkConfig } from "./link-config.ts";
export { type Linked, LinkedList } from "./list.ts";
export { Liveness, type LivenessOptions, type LivenessOwner } from "./liveness.ts";
export { initialState, step } from "./machine.ts";
export type { OutboxLimits } from "./outbox.ts";
export { type DialEvidence, type DialPermits, freePermits, type Permit } from "./permits.ts";
export type { CloseReason, LinkPhase } from "./phase.ts";
export type { ChoiceContext, Chooser, LinkPolicy } from "./policy.ts";
export { Session, type SessionItem } from "./session.ts";
export type { LinkSnapshot } from "./snapshot.ts";
export type { EmitEffect, Episode, LinkEffect, LinkEvent, LinkState } from "./state.ts";
