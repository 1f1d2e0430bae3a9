/** The rules of the house (ARCHITECTURE.md): each takes the sources and returns what breaks it, one line each. */
import { posix } from "node:path";
import { blanked, importsOf, type SourceFile } from "./source.ts";

/** The rooms, in order: each may import those before it. The first nine are the engine. */
export const rooms = [
  ...["time", "backoff", "endpoint", "call", "link", "governor", "pool", "cluster"],
  ...["observe", "options", "sql", "drivers", "bulletin", "lab", "fleet", "console", "cli"],
] as const;
const engine: ReadonlySet<string> = new Set(rooms.slice(0, rooms.indexOf("cluster") + 1));

/** The one file that may touch the machine's clock, timers and randomness. */
const SYSTEM = "src/time/system.ts";
const LONGEST_SOURCE_LINES = 350;
/** Tests hold long tables of cases. */
const LONGEST_TEST_LINES = 500;
export type Rule = (files: readonly SourceFile[]) => string[];

/** The room of a file: `time`, or `drivers/redis` (each driver is a room of its own); `""` for `src/index.ts`. */
function roomOf(path: string): string {
  const [, room = "", driver = ""] = path.split("/");
  if (room.endsWith(".ts")) return "";
  return room === "drivers" && !driver.endsWith(".ts") ? `${room}/${driver}` : room;
}

function rankOf(room: string): number {
  const base = room.split("/", 1)[0] as string;
  return room === "" ? rooms.length : (rooms as readonly string[]).indexOf(base);
}

const inSrc = (files: readonly SourceFile[]): SourceFile[] =>
  files.filter(({ path }) => path.startsWith("src/"));

/** Each import between files of src, resolved. */
function* edges(file: SourceFile): Generator<{ written: string; target: string }> {
  for (const written of importsOf(file.text)) {
    if (!written.startsWith(".")) continue;
    // A worker is named by its compiled name.
    yield { written, target: posix.join(posix.dirname(file.path), written.replace(/\.js$/, ".ts")) };
  }
}

export const everyFolderIsARoom: Rule = (files) =>
  inSrc(files)
    .filter(({ path }) => rankOf(roomOf(path)) < 0)
    .map(({ path }) => `${path}: "${roomOf(path)}" is not a room`);

export const roomsImportDoorsOfEarlierRooms: Rule = (files) =>
  inSrc(files).flatMap((file) => {
    const own = roomOf(file.path);
    const broken: string[] = [];
    for (const { written, target } of edges(file)) {
      const other = roomOf(target);
      if (!target.startsWith("src/")) broken.push(`${file.path}: ${written} is outside src`);
      else if (other === own) continue;
      else if (target !== posix.join("src", other, "index.ts")) {
        broken.push(`${file.path}: ${written} goes past the door of ${other}`);
      } else if (rankOf(other) > rankOf(own) || (rankOf(other) === rankOf(own) && other !== "drivers")) {
        broken.push(`${file.path}: ${written}: ${own} may not import ${other}`);
      }
    }
    return broken;
  });

/** Also of types: who reads one file of a circle must read them all. */
export const noCircles: Rule = (files) => {
  const targets = new Map(
    inSrc(files).map((file) => [file.path, [...edges(file)].map(({ target }) => target)]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) circles.push(`${[...way.slice(start), path].join(" → ")}: a circle`);
    if (start >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return circles;
};

export const engineTouchesNothing: Rule = (files) =>
  inSrc(files)
    .filter(({ path }) => engine.has(roomOf(path)) && path !== SYSTEM)
    .flatMap(({ path, text }) => [
      ...importsOf(text)
        .filter((written) => !written.startsWith("."))
        .map((written) => `${path}: the engine imports ${written}`),
      ...found(path, text, [/(?<![.\w])(?:process|Buffer|require|__dirname)\b(?!\s*:)/g], "is Node's"),
    ]);

const RAW_TIME = [
  /\bDate\.now\b/g,
  /\bnew\s+Date\b(?!\s*\(\s*[^\s)])/g, // with an argument it reads no clock
  /\bMath\.random\b/g,
  /(?<![.\w])(?:globalThis\.)?(?:setTimeout|setInterval)\b(?=\s*\()/g,
  /\bperformance\.(?:now|timeOrigin)\b/g,
  /\bprocess\.(?:hrtime|uptime)\b/g,
  /\bAbortSignal\.timeout\b/g,
];

export const timeAndChanceAreInjected: Rule = (files) =>
  inSrc(files)
    .filter(({ path }) => path !== SYSTEM)
    .flatMap(({ path, text }) => [
      ...found(path, text, RAW_TIME, `belongs in ${SYSTEM}`),
      ...importsOf(text)
        .filter((written) => /^(?:node:)?(?:timers(?:\/promises)?|perf_hooks)$/.test(written))
        .map((written) => `${path}: ${written} belongs in ${SYSTEM}`),
    ]);

export const filesAreShort: Rule = (files) =>
  files.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split("\n").length;
    const limit = path.startsWith("src/") ? LONGEST_SOURCE_LINES : LONGEST_TEST_LINES;
    return lines > limit ? [`${path}: ${lines} lines; at most ${limit}`] : [];
  });

/** Spelled in pieces, or this very file would break the rule. */
const BANNED_WORDS = ["TO" + "DO", "FIX" + "ME", "as" + " any", "@ts-" + "ignore", "@ts-" + "nocheck"];

export const noBannedWords: Rule = (files) =>
  files.flatMap(({ path, text }) =>
    BANNED_WORDS.flatMap((word) => {
      const match = new RegExp(`(?<!\\w)${word.replace(" ", "\\s+")}(?!\\w)`).exec(text);
      return match === null ? [] : [`${path}:${lineAt(text, match.index)}: "${word}"`];
    }),
  );

/** Doors: the index of each room and of the package, and the command's main file. */
const isDoor = (path: string): boolean =>
  path === "src/cli/main.ts" || /^src\/(?:[a-z]+\/|drivers\/[\w-]+\/)?index\.ts$/.test(path);

/** Rooms with files but without a door: nothing can use them yet. */
export const everyRoomHasADoor: Rule = (files) => {
  const paths = new Set(inSrc(files).map(({ path }) => path));
  const names = new Set([...paths].map(roomOf));
  return [...names]
    .filter((room) => room !== "cli" && !paths.has(posix.join("src", room, "index.ts")))
    .map((room) => `${posix.join("src", room)} has no index.ts`);
};

export const everyFileIsReachedFromADoor: Rule = (files) => {
  const sources = inSrc(files);
  const byPath = new Map(sources.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const visit = (path: string): void => {
    const file = byPath.get(path);
    if (file === undefined || reached.has(path)) return;
    reached.add(path);
    for (const { target } of edges(file)) visit(target);
  };
  for (const { path } of sources) if (isDoor(path)) visit(path);
  return sources
    .filter(({ path }) => !reached.has(path) && byPath.has(posix.join("src", roomOf(path), "index.ts")))
    .map(({ path }) => `${path}: no door leads here`);
};

function found(path: string, text: string, patterns: readonly RegExp[], why: string): string[] {
  const code = blanked(text, "blank");
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => `${path}:${lineAt(code, match.index)}: ${match[0]} ${why}`),
  );
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
