/** Source text prepared for rules: comments blanked, strings blanked, imports listed. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface SourceFile {
  /** From the project's root, with forward slashes: `src/time/system.ts`. */
  readonly path: string;
  readonly text: string;
}

export const root: string = fileURLToPath(new URL("../../../", import.meta.url));

/** Every TypeScript file under these folders of the project. */
export function sourcesUnder(...folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
      .filter((path) => path.endsWith(".ts"))
      .sort()
      .map((path) => ({ path, text: readFileSync(root + path, "utf8") })),
  );
}

/** After these, a `/` starts a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[=(,;:?!&|{}[+\-*%~^<>]|\b(?:return|typeof|case|in|of|await|yield|void))\s*$/;

/**
 * The text with its comments turned to spaces and, unless they are to be kept, the insides of its strings and
 * regular expressions too. Length and lines stay. Code inside `${}` of a template stays code.
 */
export function blanked(text: string, strings: "keep" | "blank"): string {
  let out = "";
  let depth = 0;
  /** Depths of braces at which a template literal goes on. */
  const templates: number[] = [];
  for (let i = 0; i < text.length; ) {
    const char = text[i] as string;
    const two = text.slice(i, i + 2);
    let end = 0;
    if (two === "//" || two === "/*") {
      end = two === "//" ? text.indexOf("\n", i) : text.indexOf("*/", i + 2) + 2;
      if (end <= i) end = text.length;
      out += spaces(text.slice(i, end));
      i = end;
      continue;
    }
    if (char === '"' || char === "'") end = endOfQuoted(text, i + 1, char);
    else if (char === "`") end = endOfTemplate(text, i + 1);
    else if (char === "}" && templates.at(-1) === depth) {
      templates.pop();
      end = endOfTemplate(text, i + 1);
    } else if (char === "/" && BEFORE_REGEX.test(out.slice(-60))) end = endOfRegex(text, i + 1);
    if (end === 0) {
      if (char === "{") depth++;
      if (char === "}") depth--;
      out += char;
      i++;
      continue;
    }
    const piece = text.slice(i, end);
    out += strings === "keep" ? piece : char + spaces(piece.slice(1, -1)) + piece.at(-1);
    if (piece.endsWith("${") && (char === "`" || char === "}")) templates.push(depth);
    i = end;
  }
  return out;
}

function spaces(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** What a file imports, as written: static, dynamic, re-exported, for types or not, or as a worker's file. */
export function importsOf(text: string): string[] {
  // Found where strings are blank, so that no string is taken for code; read at the same place where they are not.
  const code = blanked(text, "blank");
  const pattern =
    /(?:\bfrom|\bimport|\bimport\s*\(|\bnew\s+URL\s*\((?=\s*["'][^"']*["']\s*,\s*import\.meta))\s*["']/g;
  return [...code.matchAll(pattern)].map((match) => {
    const start = match.index + match[0].length;
    return text.slice(start, endOfQuoted(text, start, text[start - 1] as string) - 1);
  });
}

function endOfQuoted(text: string, from: number, quote: string): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === quote || text[i] === "\n") return i + 1;
  }
  return text.length;
}

/** The end of a template's text: after its closing quote, or after the `${` that opens code. */
function endOfTemplate(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "`") return i + 1;
    else if (text[i] === "$" && text[i + 1] === "{") return i + 2;
  }
  return text.length;
}

function endOfRegex(text: string, from: number): number {
  let inClass = false;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "[") inClass = true;
    else if (text[i] === "]") inClass = false;
    else if ((text[i] === "/" && !inClass) || text[i] === "\n") return i + 1;
  }
  return text.length;
}
