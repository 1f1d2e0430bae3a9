import type { LinkClass } from "../link/index.ts";

/** Not the network's fault, so trying the same endpoint again can't help. */
const fatalCodes: ReadonlySet<string> = new Set([
  ...["EACCES", "EPERM", "ENOTSOCK", "EAFNOSUPPORT", "ERR_SOCKET_BAD_PORT"],
  ...["ERR_INVALID_ARG_TYPE", "ERR_INVALID_ARG_VALUE"],
]);

/** Class of a socket, DNS or TLS error code of Node's. What is not known is worth another try: `transient`. */
export function classOfSystemCode(code: string): LinkClass {
  if (fatalCodes.has(code)) return "fatal";
  const endpoint =
    code === "ENOTFOUND" ||
    code.startsWith("CERT_") ||
    code.startsWith("ERR_TLS_") ||
    code.startsWith("ERR_SSL_") ||
    code.includes("SELF_SIGNED_CERT") ||
    code.startsWith("UNABLE_TO_");
  return endpoint ? "endpoint" : "transient";
}
