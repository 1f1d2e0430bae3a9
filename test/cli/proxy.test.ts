import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseFault } from "../../src/cli/proxy-fault.ts";
import { dial, howItEnds, testServer, tryDial, until } from "../lab/proxy/rig.ts";
import { checkLeaks } from "../support/leaks.ts";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

class Running implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  #errors = "";

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [main, "proxy", ...args], { stdio: ["pipe", "pipe", "pipe"] });
    if (this.child.stdout)
      createInterface({ input: this.child.stdout }).on("line", (line) => this.lines.push(line));
    this.child.stderr?.on("data", (text: Buffer) => {
      this.#errors += text.toString();
    });
  }

  async line(pattern: RegExp): Promise<string> {
    await until(`a line like ${pattern} in ${this.lines.join("\n")}${this.#errors}`, () =>
      this.lines.some((line) => pattern.test(line)),
    );
    return this.lines.find((line) => pattern.test(line)) as string;
  }

  async endpoint(): Promise<{ host: string; port: number }> {
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(await this.line(/^holdfast proxy:/)) ?? [];
    return { host: "127.0.0.1", port: Number(port) };
  }

  order(text: string): void {
    this.child.stdin?.write(`${text}\n`);
  }

  async stop(): Promise<number | null> {
    const exited = once(this.child, "exit");
    this.child.kill("SIGINT");
    return (await exited)[0] as number | null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exited;
  }
}

test("proxy shows what happens, takes orders, and Ctrl-C closes it cleanly", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using running = new Running(
    "--upstream",
    String(server.endpoint.port),
    "--fault",
    "drop:times=1,how=fin",
  );
  const to = await running.endpoint();
  await running.line(/fault on: drop#1/);
  assert.equal(await howItEnds(to), "fin");
  await running.line(/#1 hit by drop#1 after 0 bytes up, 0 down/);
  await using client = await dial(to);
  await client.send("hello").got(5);
  running.order("fault blackHole:direction=up,label=deaf");
  await running.line(/fault on: deaf/);
  running.order("connections");
  await running.line(/^#2 .* 5 bytes up, 5 down {2}under deaf/);
  running.order("fault refuse:times=1");
  await running.line(/unknown option "refuse\.times"/);
  running.order("cut rst");
  assert.equal(await client.ended(), "ECONNRESET");
  await using other = await dial(to);
  running.order("undo deaf");
  await running.line(/fault off: deaf; it hit 0 connections, 0 bytes/);
  await other.send("again").got(5);
  assert.equal(await running.stop(), 0);
  await other.fin();
  assert.equal(await tryDial(to), "ECONNREFUSED");
});

test("proxy --json prints one object per event", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using running = new Running(
    "--json",
    "--upstream",
    `127.0.0.1:${server.endpoint.port}`,
    "-f",
    "drop",
  );
  const { port } = JSON.parse(await running.line(/"listening"/)) as { port: number };
  await running.line(/"faultOn"/);
  assert.equal(await howItEnds({ host: "127.0.0.1", port }), "ECONNRESET");
  const { atMs, ...hit } = JSON.parse(await running.line(/"hit"/)) as Record<string, unknown>;
  assert.equal(typeof atMs, "number");
  assert.deepEqual(hit, { event: "hit", fault: "drop#1", kind: "drop", connection: 1, up: 0, down: 0 });
  running.order("quit");
  await until("the exit", () => running.child.exitCode !== null);
  assert.equal(running.child.exitCode, 0);
});

test("proxy refuses what it can't do with status 2 and says why", () => {
  const run = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [main, "proxy", ...args], { encoding: "utf8" });
  for (const [args, message] of [
    [[], /--upstream/],
    [["-u", "nowhere"], /"upstream" is "nowhere"/],
    [["-u", "1", "--port", "x"], /"port" is NaN/],
    [["-u", "1", "-f", "latenzy:delayMs=5"], /did you mean "latency"/],
    [["-u", "1", "-f", "latency"], /"latency\.delayMs" is undefined/],
  ] as const) {
    const { status, stderr } = run(...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
});

test("faults are written as kind:key=value", () => {
  assert.deepEqual(parseFault("refuse"), { kind: "refuse" });
  assert.deepEqual(parseFault(" latency:delayMs=1.5s, jitterMs=20 ,direction=down"), {
    kind: "latency",
    delayMs: 1_500,
    jitterMs: 20,
    direction: "down",
  });
  assert.deepEqual(parseFault("freeze:connects=true,label=7"), {
    kind: "freeze",
    connects: true,
    label: "7",
  });
  assert.deepEqual(parseFault("drop:connections=1+3,probability=0.5"), {
    kind: "drop",
    connections: [1, 3],
    probability: 0.5,
  });
  assert.deepEqual(parseFault("tls:how=expired,names=a.test+b.test"), {
    kind: "tls",
    how: "expired",
    names: ["a.test", "b.test"],
  });
  assert.throws(() => parseFault("drop:how"), { code: "HF_OPTION" });
});
