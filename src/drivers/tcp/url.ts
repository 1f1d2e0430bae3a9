import type { Endpoint } from "../../endpoint/index.ts";
import { didYouMean, optionError, refusedOptionError } from "../../options/index.ts";

const schemes = ["tcp", "tls"];

/**
 * `tcp://host:port` or `tls://host:port` (an IPv6 address in brackets). Throws `HF_OPTION` for anything more: TCP has
 * no user, path or parameters, and ignoring them would hide a mistake.
 */
export function parseTcpUrl(text: string, key = "url"): Endpoint {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([/?#].*)?$/is.exec(text);
  const allowed = "tcp://host:port or tls://host:port";
  if (match === null) throw optionError(key, text, allowed);
  const [, scheme = "", authority = "", rest = ""] = match;
  if (!schemes.includes(scheme.toLowerCase()))
    throw optionError(key, text, allowed, didYouMean(scheme, schemes));
  if (authority.includes("@")) throw refusedOptionError(key, "TCP has no user or password");
  if (rest !== "" && rest !== "/") throw refusedOptionError(key, "TCP has no path, parameters or fragment");
  const parts = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(authority);
  const port = Number(parts?.[3]);
  if (parts === null || !(port >= 1 && port <= 65_535))
    throw optionError(key, text, `${allowed}, port 1 to 65535`);
  const host = (parts[1] ?? parts[2]) as string;
  return { host, port, ...(scheme.toLowerCase() === "tls" && { tls: true }) };
}
