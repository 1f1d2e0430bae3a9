import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

test("the example runs, and says what its page says", async () => {
  const path = fileURLToPath(new URL("../../../examples/tcp.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path], { timeout: 20_000 });
  const lines = stdout.trim().split("\n");
  assert.equal(lines[0], "connected");
  assert.match(lines[1] ?? "", /^not connected: read ECONNRESET$/);
  assert.match(lines[2] ?? "", /^waiting N ms before attempt 2 to 127\.0\.0\.1:PORT: .*; 1 calls? waiting/);
  assert.deepEqual(lines.slice(-2), ["connected again", "HELLO | STILL THERE?"]);
});
