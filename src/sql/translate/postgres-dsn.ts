/**
 * PostgreSQL's connection strings, as gorm's PostgreSQL dialect takes them (pgx, after libpq):
 *
 * ```
 * host=localhost user=gorm password='it''s' dbname=gorm port=9920 sslmode=disable TimeZone=Asia/Shanghai
 * postgres://user:secret@host1:5432,[::1]:5433/db?sslmode=verify-full&target_session_attrs=read-write
 * ```
 *
 * In the keyword form values with spaces stand between single quotes, and a backslash takes the next character as it
 * is. In a URL every part is percent-decoded, and a parameter wins over the same thing in the URL's own parts. As in
 * pgx a name that is no connection parameter is a session variable. No environment variable or password file is read,
 * and a text without `sslmode` says nothing of TLS, where libpq would prefer it.
 */
import { postgresSettings } from "./postgres-parameters.ts";
import type { SqlSettings } from "./settings.ts";
import { isPlainName, type Parameter, readText, textError } from "./text.ts";
import { splitUrl } from "./url.ts";

/** Translates either form. @throws `HF_OPTION`; no message holds a user name or password */
export function fromPostgresDsn(dsn: string): SqlSettings {
  const text = readText("dsn", dsn).trim();
  if (text === "") throw textError("dsn", "it is empty");
  return postgresSettings("dsn", text.includes("://") ? urlParameters("dsn", text) : keywords(text));
}

/** Translates `postgres://…` or `postgresql://…`. @throws `HF_OPTION`; no message holds a user name or password */
export function fromPostgresUrl(url: string): SqlSettings {
  return postgresSettings("url", urlParameters("url", readText("url", url)));
}

function urlParameters(key: string, text: string): Parameter[] {
  const parts = splitUrl(key, text, ["postgres", "postgresql"]);
  const { hidden } = parts;
  const own: [string, string | undefined][] = [
    ["host", parts.hosts.map(({ host }) => host).join(",")],
    ["port", parts.hosts.map(({ port }) => port ?? "").join(",")],
    ["user", parts.user],
    ["password", parts.password],
    ["dbname", parts.path],
  ];
  const first = own.flatMap(([name, value = ""]) => (/^,*$/.test(value) ? [] : [{ name, value, hidden }]));
  return [...first, ...parts.query];
}

/** `name = value` pairs between white space. */
function keywords(text: string): Parameter[] {
  const parameters: Parameter[] = [];
  const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?=\s|$)/sy;
  for (let at = 0; at < text.length; at = pair.lastIndex) {
    pair.lastIndex = at;
    const [, name = "", quoted, bare = ""] = pair.exec(text) ?? [];
    if (name === "") {
      const last = parameters.at(-1)?.name;
      const after = last !== undefined && isPlainName(last) ? ` after "${last}"` : "";
      throw textError(
        "dsn",
        `it must be name=value pairs${after}; a value with spaces stands in single quotes`,
      );
    }
    const value = (quoted ?? bare).replace(/\\(.)/gs, "$1");
    parameters.push({ name, value, hidden: false });
  }
  return parameters;
}
