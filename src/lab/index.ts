/** Room `lab` (`holdfast/lab`): what tests need to hurt a connection, and real servers to hurt. */
export * from "./conformance/index.ts";
export * from "./ledger/index.ts";
export * from "./proxy/index.ts";
export * from "./servers/index.ts";
export * from "./tcp-service/index.ts";
export * from "./tls/index.ts";
