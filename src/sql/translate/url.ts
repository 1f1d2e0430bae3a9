import { type Parameter, splitHostPort, textError, unescapeText } from "./text.ts";

export interface UrlParts {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** At least one; an empty host where the URL has none. */
  readonly hosts: readonly { readonly host: string; readonly port: string | undefined }[];
  /** Without the first slash; empty when the URL has none. */
  readonly path: string;
  readonly query: readonly Parameter[];
  /** An `@` stands after the hosts: then no part may be shown, each may be a piece of a password. */
  readonly hidden: boolean;
}

/**
 * Splits a database URL, which may name several hosts (WHATWG's `URL` can't, and puts the whole input, password
 * included, into its error). Errors never quote the URL.
 */
export function splitUrl(key: string, text: string, schemes: readonly string[]): UrlParts {
  const match = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/is.exec(text);
  const scheme = match?.[1]?.toLowerCase() ?? "";
  if (match === null || !schemes.includes(scheme)) {
    const wanted = schemes.map((each) => `"${each}://"`).join(" or ");
    throw textError(key, `it must be a URL that starts with ${wanted}, with "#" in it written %23`);
  }
  const [, , authority = "", path = "", query = ""] = match;
  const at = authority.lastIndexOf("@");
  const login = at < 0 ? undefined : authority.slice(0, at);
  const colon = login?.indexOf(":") ?? -1;
  const decode = (what: string, part: string): string => unescapeText(key, what, part);
  const hidden = path.includes("@") || query.includes("@");
  return {
    scheme,
    user: login === undefined ? undefined : decode("user name", colon < 0 ? login : login.slice(0, colon)),
    password: login === undefined || colon < 0 ? undefined : decode("password", login.slice(colon + 1)),
    hosts: authority
      .slice(at + 1)
      .split(",")
      .map((each) => {
        const split = splitHostPort(each);
        if (split === undefined)
          throw textError(
            key,
            "a host in it is neither a name nor an address; an IPv6 address stands in brackets",
          );
        return { host: decode("host", split.host), port: split.port };
      }),
    path: decode("database", path.slice(1)),
    query: query
      .split("&")
      .filter((pair) => pair !== "")
      .map((pair) => {
        const equals = pair.indexOf("=");
        const name = equals < 0 ? pair : pair.slice(0, equals);
        const value = equals < 0 ? "" : pair.slice(equals + 1);
        return { name: decode("parameter", name), value: decode("parameter", value), hidden };
      }),
    hidden,
  };
}
