/**
 * Splits a Redis URL the way Go's net/url does (WHATWG's `URL` differs: it lower-cases, drops ports and puts the whole
 * input into its error, password included).
 *
 * Errors here never quote the URL: a password holding an unescaped `/`, `?`, `#` or `@` shifts every part, so any part
 * may be a piece of it.
 */
import { HoldfastError } from "../../../call/index.ts";

export interface UrlParts {
  readonly scheme: string;
  readonly username: string;
  readonly password: string;
  /** Without brackets; empty when the URL has none. */
  readonly host: string;
  /** Undefined when the URL has none. */
  readonly port: number | undefined;
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** True when an `@` stands after the host: then no part may be quoted in an error. */
  readonly suspect: boolean;
}

/** Longer URLs are refused unread; the longest sensible one is a few hundred characters. */
const longestUrl = 8_192;

export function urlError(why: string): HoldfastError {
  return new HoldfastError("HF_OPTION", `option "url" is not a Redis URL: ${why}`, {
    details: { key: "url" },
  });
}

export function splitUrl(text: string): UrlParts {
  if (text.length > longestUrl) throw urlError(`it is longer than ${longestUrl} characters`);
  if (hasControlOrSpace(text)) throw urlError("it holds a space or control character; percent-encode it");
  if (text.includes("#")) throw urlError('a "#" must be percent-encoded as %23');
  const colon = text.indexOf("://");
  if (colon <= 0) throw urlError('it must start with "redis://", "rediss://" or "unix://"');
  const [beforeQuery, queryText] = cut(text.slice(colon + 3), "?");
  const slash = beforeQuery.indexOf("/");
  const authority = slash === -1 ? beforeQuery : beforeQuery.slice(0, slash);
  const rawPath = slash === -1 ? "" : beforeQuery.slice(slash);
  const at = authority.lastIndexOf("@");
  const [rawUsername, rawPassword] = cut(at === -1 ? "" : authority.slice(0, at), ":");
  return {
    scheme: text.slice(0, colon).toLowerCase(),
    username: percentDecode(rawUsername, "user name"),
    password: percentDecode(rawPassword ?? "", "password"),
    ...hostAndPort(authority.slice(at + 1)),
    path: percentDecode(rawPath, "path"),
    query: queryPairs(queryText ?? ""),
    suspect: rawPath.includes("@") || (queryText ?? "").includes("@"),
  };
}

function hasControlOrSpace(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code === 0x7f) return true;
  }
  return false;
}

function cut(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function percentDecode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw urlError(`its ${part} has a bad percent escape`);
  }
}

function hostAndPort(text: string): { readonly host: string; readonly port: number | undefined } {
  const bracketed = /^\[([0-9a-f:.]+(?:%25[\w.~-]+)?)\](?::(\d*))?$/i.exec(text);
  const plain = /^([^\s:[\]<>"\\^`{|}%]*)(?::(\d*))?$/.exec(text);
  const match = bracketed ?? plain;
  if (match === null) {
    throw urlError(
      "its host or port is malformed (percent-encode the password; put an IPv6 address in [brackets])",
    );
  }
  const [, host, portText] = match;
  if (!portText) return { host: host!.replace("%25", "%"), port: undefined };
  const port = Number(portText);
  if (port < 1 || port > 65_535) throw urlError("its port is not from 1 to 65535");
  return { host: host!.replace("%25", "%"), port };
}

function queryPairs(text: string): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const [name, value] = cut(pair.replaceAll("+", " "), "=");
    pairs.push([percentDecode(name, "query"), percentDecode(value ?? "", "query")]);
  }
  return pairs;
}
