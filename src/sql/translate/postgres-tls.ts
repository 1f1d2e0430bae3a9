import type { SqlTls } from "./settings.ts";
import { given, type Parameter, parameterError, parameterRefused } from "./text.ts";

const modes: Readonly<Record<string, SqlTls | false>> = {
  disable: false,
  allow: { verify: "none", fallback: "tls" },
  prefer: { verify: "none", fallback: "plain" },
  require: { verify: "none" },
  "verify-ca": { verify: "ca" },
  "verify-full": { verify: "full" },
  "no-verify": { verify: "none" }, // node-postgres' own word
};

const files = {
  sslrootcert: "caFile",
  sslcert: "certFile",
  sslkey: "keyFile",
  sslpassword: "keyPassword",
  ssl_min_protocol_version: "minVersion",
  ssl_max_protocol_version: "maxVersion",
} as const;

/** What only one value can be honoured of, and why. */
const fixed: Readonly<Record<string, readonly [value: string, why: string]>> = {
  sslsni: ["1", "the server's name is always sent"],
  sslcompression: ["0", "TLS has no compression any more"],
  sslnegotiation: ["postgres", "the client library asks the server before it starts TLS"],
};

/** Parameters about TLS. `ssl` is node-postgres' own. */
export const tlsNames: readonly string[] = [
  ...["sslmode", "ssl", "sslcrl", "sslcrldir"],
  ...Object.keys(files),
  ...Object.keys(fixed),
];

/** `undefined` when nothing is said of TLS. */
export function postgresTls(byName: ReadonlyMap<string, Parameter>): SqlTls | false | undefined {
  for (const name of ["sslcrl", "sslcrldir"]) {
    const parameter = byName.get(name);
    if (parameter !== undefined) throw parameterRefused(parameter, "revocation lists are not read here");
  }
  for (const [name, [value, why]] of Object.entries(fixed)) {
    const parameter = byName.get(name);
    if (parameter !== undefined && parameter.value !== value) throw parameterRefused(parameter, why);
  }
  const mode = modeOf(byName);
  if (mode === undefined || mode === false) return mode;
  const root = byName.get("sslrootcert")?.value;
  const extra = Object.entries(files).map(([name, key]) => [key, byName.get(name)?.value || undefined]);
  const all = given<SqlTls>({ ...mode, ...Object.fromEntries(extra) });
  if (root === "system") {
    const { caFile: _, ...rest } = all;
    return { ...rest, verify: "full" }; // the authorities of this machine sign for anybody: the name must match
  }
  // As in libpq: who names an authority wants it checked, also with `require`.
  return root && byName.get("sslmode")?.value === "require" ? { ...all, verify: "ca" } : all;
}

function modeOf(byName: ReadonlyMap<string, Parameter>): SqlTls | false | undefined {
  const sslmode = byName.get("sslmode");
  if (sslmode !== undefined && sslmode.value !== "") {
    const mode = Object.hasOwn(modes, sslmode.value) ? modes[sslmode.value] : undefined;
    if (mode === undefined) throw parameterError(sslmode, `one of ${Object.keys(modes).join(", ")}`);
    return mode;
  }
  const ssl = byName.get("ssl");
  if (ssl === undefined) return undefined;
  if (["true", "1"].includes(ssl.value)) return { verify: "full" };
  if (["false", "0"].includes(ssl.value)) return false;
  throw parameterError(ssl, "true or false");
}
