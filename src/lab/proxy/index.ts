/** The fault proxy. */
export { faultKinds } from "./check.ts";
export type { Upstream } from "./connection.ts";
export type { Disposer, Hit, ProxyEventName, ProxyEvents, ProxyLogEntry } from "./events.ts";
export type {
  BandwidthFault,
  BlackHoleFault,
  ConnectionInfo,
  CorruptFault,
  Direction,
  DripFault,
  DropFault,
  Ending,
  Fault,
  FaultKind,
  FaultShape,
  FaultTarget,
  FaultTerms,
  FreezeFault,
  HalfCloseFault,
  LatencyFault,
  MaxConnectionsFault,
  RefuseFault,
  SlowFirstByteFault,
  TlsFault,
  TruncateFault,
} from "./fault.ts";
export type { FaultHandle, FaultHit } from "./handle.ts";
export {
  type CutTarget,
  type FaultProxy,
  type FaultProxyOptions,
  faultProxy,
} from "./proxy.ts";
