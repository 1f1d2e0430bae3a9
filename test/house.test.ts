/** The house's rules hold for the project, and each of them can fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as rules from "./house/rules.ts";
import { blanked, importsOf, type SourceFile, sourcesUnder } from "./house/source.ts";

const project = [...sourcesUnder("src"), ...sourcesUnder("test")];

function file(path: string, text: string): SourceFile {
  return { path, text };
}

/** Each rule: a sample that breaks it with the line expected, and a sample beside it that does not. */
const samples: Record<
  string,
  { rule: rules.Rule; bad: [SourceFile | SourceFile[], RegExp][]; good: SourceFile[] }
> = {
  "every folder of src is a room": {
    rule: rules.everyFolderIsARoom,
    bad: [[file("src/helpers/a.ts", ""), /"helpers" is not a room/]],
    good: [file("src/index.ts", ""), file("src/link/deep/a.ts", ""), file("src/drivers/etcd/a.ts", "")],
  },
  "a room imports only the doors of earlier rooms": {
    rule: rules.roomsImportDoorsOfEarlierRooms,
    bad: [
      [file("src/time/a.ts", 'import { b } from "../link/index.ts";'), /time may not import link/],
      [file("src/link/a.ts", 'import type { b } from "../time/clock.ts";'), /past the door of time/],
      [file("src/link/x/a.ts", 'export * from "../../time/heap.ts";'), /past the door of time/],
      [file("src/link/a.ts", 'const b = await import("../pool/index.ts");'), /link may not import pool/],
      [
        file("src/drivers/tcp/a.ts", 'import "../redis/index.ts";'),
        /drivers\/tcp may not import drivers\/redis/,
      ],
      [file("src/link/a.ts", 'import {\n  b,\n} from "../drivers/tcp/index.ts";'), /may not import drivers/],
      [file("src/lab/a.ts", 'import { a } from "../../test/a.ts";'), /is outside src/],
      [file("src/time/a.ts", 'export { a } from "../index.ts";'), /time may not import/],
    ],
    good: [
      file("src/link/a.ts", 'import { b } from "../time/index.ts";\nimport { c } from "./x/c.ts";'),
      file("src/link/x/a.ts", 'import { c } from "../c.ts"; // from "../pool/index.ts"'),
      file("src/lab/a.ts", 'import { b } from "../drivers/redis/index.ts";'),
      file("src/index.ts", 'export { b } from "./link/index.ts";'),
      file("src/link/b.ts", 'throw new Error("import it from \\"../pool/index.ts\\"");'),
    ],
  },
  "no files import each other in a circle": {
    rule: rules.noCircles,
    bad: [
      [
        [
          file("src/link/a.ts", 'import { b } from "./b.ts";'),
          file("src/link/b.ts", 'import type { c } from "./x/c.ts";'),
          file("src/link/x/c.ts", 'import type { b } from "../b.ts";'),
        ],
        /^src\/link\/b.ts → src\/link\/x\/c.ts → src\/link\/b.ts: a circle$/,
      ],
    ],
    good: [
      file("src/link/a.ts", 'import { b } from "./b.ts"; import { c } from "./c.ts";'),
      file("src/link/b.ts", 'import { c } from "./c.ts";'),
      file("src/link/c.ts", ""),
    ],
  },
  "the engine imports no module and touches nothing of Node's": {
    rule: rules.engineTouchesNothing,
    bad: [
      [file("src/pool/a.ts", 'import { connect } from "node:net";'), /the engine imports node:net/],
      [file("src/time/a.ts", 'import fc from "fast-check";'), /the engine imports fast-check/],
      [file("src/link/a.ts", "const a = process.pid;"), /process is Node's/],
      [file("src/link/a.ts", "return Buffer.from([]);"), /Buffer is Node's/],
    ],
    good: [
      file("src/time/system.ts", 'import { AsyncLocalStorage } from "node:async_hooks";'),
      file("src/observe/a.ts", 'import { channel } from "node:diagnostics_channel";'),
      file("src/link/a.ts", "/** the process ends */ const a = this.process + b.Buffer;"),
    ],
  },
  "clock, timers and randomness are injected": {
    rule: rules.timeAndChanceAreInjected,
    bad: [
      ...["Date.now()", "new Date()", "Math.random()", "setTimeout(f, 1)", "setInterval (f, 1)"],
      ...["performance.now()", "process.hrtime()", "AbortSignal.timeout(5)", "globalThis.setTimeout(f)"],
      ...[`\`\${Date.now()}\``, `\`\${\`\${a}\`}\${new Date}\``, "a / b / Math.random()"],
    ].map((code): [SourceFile, RegExp] => [
      file("src/lab/a.ts", `// a comment\nconst a = ${code};`),
      /^src\/lab\/a\.ts:2: .* belongs in src\/time\/system\.ts$/,
    ]),
    good: [
      file("src/time/system.ts", "Date.now(); setTimeout(f, 1);"),
      file(
        "src/lab/a.ts",
        "setImmediate(f); Date.UTC(2026); new Date(ms); socket.setTimeout(0); // Date.now()",
      ),
      file("src/lab/b.ts", "const a = 'Date.now()', b = /new Date/, c = `Math.random()`; /* new Date */"),
    ],
  },
  "no file is too long": {
    rule: rules.filesAreShort,
    bad: [
      [file("src/link/a.ts", `${"\n".repeat(350)}a`), /src\/link\/a\.ts: 351 lines; at most 350/],
      [file("test/a.ts", `${"\n".repeat(500)}a`), /test\/a\.ts: 501 lines; at most 500/],
    ],
    good: [file("src/link/a.ts", `${"\n".repeat(349)}a\n`)],
  },
  "no banned words": {
    rule: rules.noBannedWords,
    bad: [
      [file("test/a.ts", "// TO" + "DO: later"), /a\.ts:1: "TO/],
      [file("test/a.ts", "\n/* FIX" + "ME */"), /a\.ts:2: "FIX/],
      [file("src/link/a.ts", `const a = b as${"  "}any;`), /"as.any"/],
      [file("src/link/a.ts", "// @ts-" + "ignore"), /ignore/],
    ],
    good: [file("src/link/a.ts", "const todo = 1; // as anybody knows, TODOS")],
  },
  "every file of src is reached from a door": {
    rule: rules.everyFileIsReachedFromADoor,
    bad: [
      [
        [file("src/link/index.ts", 'import "./a.ts"'), file("src/link/b.ts", "")],
        /link\/b\.ts: no door leads/,
      ],
      [
        [file("src/time/index.ts", ""), file("src/time/x/y.ts", 'import "../index.ts"')],
        /time\/x\/y\.ts: no/,
      ],
    ],
    good: [
      file(
        "src/link/index.ts",
        'export { a } from "./a.ts"; new Worker(new URL("./w.js", import.meta.url));',
      ),
      file("src/link/w.ts", ""),
      file("src/link/a.ts", 'import { b } from "./b.ts"; const c = import("./c.ts");'),
      file("src/link/b.ts", ""),
      file("src/link/c.ts", ""),
      file("src/cli/main.ts", ""),
    ],
  },
};

for (const [name, { rule, bad, good }] of Object.entries(samples)) {
  test(`house: ${name}`, () => {
    assert.deepEqual(rule(project), []);
  });
  test(`house: the rule can fail: ${name}`, () => {
    for (const [sample, expected] of bad) {
      const lines = rule([sample].flat());
      assert.equal(lines.length, 1, `${JSON.stringify(sample)}\n${lines.join("\n")}`);
      assert.match(lines[0] as string, expected);
    }
    assert.deepEqual(rule(good), []);
  });
}

test("house: every room has a door", () => {
  assert.deepEqual(rules.everyRoomHasADoor([file("src/link/a.ts", ""), file("src/cli/main.ts", "")]), [
    "src/link has no index.ts",
  ]);
  assert.deepEqual(rules.everyRoomHasADoor(project), []);
});

test("house: the rules see the whole project", () => {
  assert.ok(project.some(({ path }) => path === "src/time/system.ts"));
  assert.ok(project.some(({ path }) => path === "test/house.test.ts"));
  assert.ok(project.length > 50, `${project.length} files`);
});

test("house: imports are found in every form, comments and strings are not code", () => {
  const text = `import a, { type b } from "1"; import "2";
    export * from '3'; export { c } from "4";
    const d = await import("5"); // import "no"
    /* export * from "no" */ const e = \`import "no" \${f("g")}\`;
    import type { h } from "6";`;
  assert.deepEqual(importsOf(text), ["1", "2", "3", "4", "5", "6"]);
  assert.equal(blanked("a = '//' + /[/'\"]/ // b", "blank"), "a = '  ' + /     /     ");
  assert.equal(blanked(`\`x \${y + "}"} z\` / 2`, "blank"), '`   {y + " "}  ` / 2');
});
