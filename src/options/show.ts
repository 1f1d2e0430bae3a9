/** How a rejected option is shown in an error: short, quoted, and never with a secret. */

const secretKey = /passw|secret|token|credential|private.?key|auth_?pass/i;
const longestShown = 80;

/** Longer text is not shown at all: the patterns below take quadratic time, and cutting first could cut off the "@". */
const longestRead = 1_000;

/** True when the value under this key must not be shown. Any part of a dotted path counts. */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key);
}

/** The value as an error may show it: secrets and URL user parts replaced by `***`, cut at 80 characters. */
export function showValue(key: string, value: unknown): string {
  if (isSecretKey(key)) return value === undefined ? "undefined" : "***";
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint" || typeof value === "symbol") return String(value);
  if (typeof value === "number" || value === undefined) return String(value);
  const text = describe(value);
  if (text.length > longestRead)
    return `${typeof value === "string" ? "a text" : "an object"} of ${text.length} characters`;
  return shorten(redactText(text));
}

/** Hides the user part of anything that looks like a URL or DSN, and `password=…` pairs. */
export function redactText(text: string): string {
  return (
    text
      // Greedy up to the last "@": a password holding an unescaped "@", "/" or "?" must not leak its tail.
      .replace(/([a-z][a-z0-9+.-]*:\/\/).*@/gis, "$1***@")
      // A DSN without a scheme: `user:password@tcp(host)/db`.
      .replace(/[^\s:/@"]+:[^\s]*@/g, "***@")
      .replace(
        /((?:passw\w*|pwd|secret|token|credentials?)\s*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^&;,\s"'}]+)/gi,
        "$1***",
      )
  );
}

function describe(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  try {
    return JSON.stringify(value, hideSecrets) ?? typeof value;
  } catch {
    return "an object that can't be shown"; // cyclic, or with a throwing toJSON
  }
}

function hideSecrets(key: string, value: unknown): unknown {
  return isSecretKey(key) ? "***" : typeof value === "bigint" ? String(value) : value;
}

function shorten(text: string): string {
  return text.length <= longestShown ? text : `${text.slice(0, longestShown - 1)}…`;
}
