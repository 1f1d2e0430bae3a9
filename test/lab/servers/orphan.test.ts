import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { connect } from "node:net";
import { test } from "node:test";
import { withRedis } from "../../support/servers.ts";
import { until } from "../../support/until.ts";

const holder = new URL("./fixtures/holder.js", import.meta.url);

for (const death of ["SIGKILL", "SIGTERM", "SIGINT", "exit"] as const) {
  test(`no server and no directory is left when the process that started it dies (${death})`, async (t) => {
    if (process.platform !== "linux") return t.skip("the server's directory is read from /proc, on Linux");
    if ((await withRedis(t)) === undefined) return;
    const child = fork(holder, { stdio: "inherit" });
    t.after(() => child.kill("SIGKILL"));
    const [{ port, pid }] = (await once(child, "message")) as [{ port: number; pid: number }];
    const directory = await directoryOf(pid);
    assert.ok(existsSync(directory));
    const gone = once(child, "exit");
    if (death === "exit") child.send("exit");
    else child.kill(death);
    await gone;
    await until("the end of the server", 5_000, () => refuses(port));
    await until("the removal of its directory", 5_000, () => !existsSync(directory));
  });
}

async function directoryOf(pid: number): Promise<string> {
  const directory = await readlink(`/proc/${pid}/cwd`);
  assert.match(directory, /holdfast-redis-/);
  return directory;
}

function refuses(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });
}
