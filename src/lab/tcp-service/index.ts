/** An embedded TCP service with a ledger, that can die and come back. */
export { ServiceLedger } from "./ledger.ts";
export { startTcpServiceProcess, type TcpServiceProcess } from "./process.ts";
export { startTcpService, TcpService, type TcpServiceOptions } from "./service.ts";
export type { AfterApply } from "./session.ts";
export { ackedId, encodePing, encodeWrite, isPong } from "./wire.ts";
