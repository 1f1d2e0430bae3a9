/** Hides what looks like a credential in text that comes from elsewhere (a library's own error message). */
export function redact(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@]*)@/gi, "$1***@")
    .replace(
      /\b((?:password|passwd|secret|token|credential|auth)[\w-]*\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&,;]+)/gi,
      "$1***",
    );
}
