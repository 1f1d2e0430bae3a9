/** The examples of docs/nats.md and README.md, run as they stand there: only addresses are put in. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { WebSocket } from "ws";
import * as holdfast from "../../../src/drivers/nats/index.ts";
import { freePort } from "../../../src/lab/servers/port.ts";
import { certificate } from "./certificates.ts";
import { folder, operator } from "./operator.ts";
import { connected, withNats } from "./support.ts";

/** The examples in TypeScript that import `holdfast/nats`. */
function examplesOf(page: string): readonly string[] {
  const text = readFileSync(new URL(`../../../../${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
    .map(([, code = ""]) => code)
    .filter((code) => code.includes('"holdfast/nats"'));
}

const [first = "", webSocket = "", vault = ""] = examplesOf("docs/nats.md");

/** Runs it with these names in scope; imports name what is there. Returns its connection. */
async function run(
  code: string,
  address: readonly [shown: string, real: string],
  scope: object = {},
): Promise<holdfast.ResilientNatsConnection> {
  assert.ok(code.includes(address[0]), `the example names ${address[0]}`);
  const body = code
    .replace(/^import .*$/gm, "")
    .replace(": WebSocketFactory", "")
    .replace(address[0], address[1]);
  const names = { ...holdfast, WebSocket, ...scope } as Readonly<Record<string, unknown>>;
  const wanted = Object.keys(names).filter((name) => name !== "module.exports");
  const make = Object.getPrototypeOf(run).constructor as new (
    ...text: string[]
  ) => (...values: unknown[]) => Promise<holdfast.ResilientNatsConnection>;
  return new make(...wanted, `${body}\nreturn nc;`)(...wanted.map((name) => names[name]));
}

test("docs: every example is run here", () => {
  assert.equal(examplesOf("docs/nats.md").length, 3);
  assert.equal(examplesOf("README.md").length, 1);
});

test("docs/nats.md, the first example: credentials from a file, publish, request, drain", async (t) => {
  const trusted = operator();
  const server = await withNats(t, { config: trusted.config });
  if (server === undefined) return;
  const user = trusted.user();
  const path = await (await folder(t))("user.creds", user.creds);
  const other = await connected(t, server.url, { authenticator: holdfast.credsFile(path) });
  let hits = 0;
  other.subscribe("hits", { callback: () => void hits++ });
  other.subscribe("sum", {
    callback(_error, message) {
      const sum = message
        .string()
        .split(",")
        .reduce((all, each) => all + Number(each), 0);
      message.respond(`${sum}`);
    },
  });
  await other.flush();
  const nc = await run(
    `${first}\nif (sum.string() !== "3") throw new Error(sum.string());`,
    ["127.0.0.1:4222", `127.0.0.1:${server.port}`],
    { path },
  );
  assert.ok(nc.isClosed());
  await other.flush();
  assert.equal(hits, 1);
});

test("docs/nats.md, WebSocket: the package ws with the server's certificate", async (t) => {
  const { ca, certFile, keyFile } = await certificate(t);
  const port = await freePort();
  const server = await withNats(t, { websocket: { port, certFile, keyFile } });
  if (server === undefined) return;
  const nc = await run(webSocket, ["localhost:8443", `localhost:${port}`], { ca });
  t.after(() => nc.close());
  await nc.flush();
});

test("docs/nats.md, logins: credentials that take a moment", async (t) => {
  const trusted = operator();
  const server = await withNats(t, { config: trusted.config });
  if (server === undefined) return;
  const fetchFromVault = async ({ signal }: { signal: AbortSignal }): Promise<Uint8Array> => {
    assert.equal(signal.aborted, false);
    return new TextEncoder().encode(trusted.user().creds);
  };
  const nc = await run(vault, ["127.0.0.1:4222", `127.0.0.1:${server.port}`], { fetchFromVault });
  t.after(() => nc.close());
  await nc.flush();
});

test("README.md: the example of NATS", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const [code = ""] = examplesOf("README.md");
  const nc = await run(code, ["127.0.0.1:4222", `127.0.0.1:${server.port}`]);
  t.after(() => nc.close());
  assert.equal(nc.resilience.snapshot().phase, "ready");
});
