/** What this driver holds on to inside the library, and the check that it is there, before anything is dialled. */
import { HoldfastError } from "../../call/index.ts";

/** Methods of the library's protocol handler that are called or replaced here. */
export const protocolMethods: readonly string[] = [
  "flushPending",
  "sendSubscriptions",
  "publish",
  "sendCommand",
  "flush",
  "handleError",
  "processInfo",
  "close",
  "dispatchStatus",
  "reconnect",
  "disconnect",
  "disconnected",
];

/**
 * @param prototype the library's protocol handler
 * @throws `HF_OPTION` naming what is missing: without these the driver could drop or repeat work, so it does not start
 */
export function checkInternals(prototype: object): void {
  const methods = prototype as Readonly<Record<string, unknown>>;
  const missing = protocolMethods.filter((name) => typeof methods[name] !== "function");
  if (missing.length > 0) throw untested(missing);
}

/**
 * The buffer that commands are collected in, which a publish fills here directly.
 * @throws `HF_OPTION` as `checkInternals`
 */
export function checkOutbound(protocol: object): void {
  const { outbound, pendingLimit } = protocol as Readonly<Record<string, unknown>>;
  const buffer = (outbound ?? {}) as Readonly<Record<string, unknown>>;
  const missing = ["length", "size", "fill"].filter((name) => typeof buffer[name] !== "function");
  if (typeof pendingLimit !== "number") missing.push("pendingLimit");
  if (missing.length > 0) throw untested(missing);
}

function untested(missing: readonly string[]): HoldfastError {
  return new HoldfastError(
    "HF_OPTION",
    `this version of @nats-io/transport-node is not one that was tested (3.4): its protocol has no ${missing.join(", no ")}`,
    { details: { missing } },
  );
}
