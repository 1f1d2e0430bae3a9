/** Longer text is cut first: an error message that long is no message, and the patterns below look ahead far. */
const LONGEST_READ = 2_000;

/**
 * Hides what looks like a credential in text that comes from elsewhere, such as a library's own error message: the
 * user part of URLs and DSNs, `password=…` pairs, and HTTP authorization.
 */
export function redact(text: string): string {
  if (!/[@=:]/.test(text)) return text;
  const read = text.length > LONGEST_READ ? `${text.slice(0, LONGEST_READ)}…` : text;
  return (
    read
      // Up to the last "@" before a space: a password may hold "@", "/" or "?" itself.
      .replace(/([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, "$1***@")
      // A DSN without a scheme: `user:password@tcp(host)/db`.
      .replace(/(^|[\s"'(<])[^\s:/@"'(<]+:(?!\/\/)[^\s@]*@(?=[\w.[-])/g, "$1***@")
      .replace(/\b(bearer|basic)\s+[\w.~+/=-]+/gi, "$1 ***")
      .replace(
        /\b([\w-]*(?:passw|pwd|secret|token|credential|api[_-]?key|auth)[\w-]*["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|(?!bearer \*|basic \*)[^\s&,;]+)/gi,
        "$1***",
      )
  );
}
