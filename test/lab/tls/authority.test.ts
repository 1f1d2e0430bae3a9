import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { testAuthority } from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";

const hourMs = 3_600_000;

test("a leaf is signed by its authority, for its names, and valid now", async () => {
  const authority = await testAuthority();
  const { cert, key } = await authority.leaf({ names: ["db.test", "10.0.0.1"] });
  const root = new X509Certificate(authority.cert);
  const leaf = new X509Certificate(cert);
  assert.equal(root.ca, true);
  assert.equal(leaf.ca, false);
  assert.ok(leaf.verify(root.publicKey));
  assert.match(key, /BEGIN PRIVATE KEY/);
  assert.deepEqual(
    [leaf.checkHost("db.test"), leaf.checkIP("10.0.0.1"), leaf.checkHost("other.test")],
    ["db.test", "10.0.0.1", undefined],
  );
  assert.ok(
    Date.parse(leaf.validFrom) < systemClock.wallMs() && Date.parse(leaf.validTo) > systemClock.wallMs(),
  );
  const stranger = new X509Certificate((await testAuthority()).cert);
  assert.equal(leaf.verify(stranger.publicKey), false);
});

test("the time of validity can be chosen", async () => {
  const { cert } = await (await testAuthority()).leaf({ validFromMs: hourMs, validToMs: 2 * hourMs });
  const { validFrom, validTo } = new X509Certificate(cert);
  assert.ok(Math.abs(Date.parse(validFrom) - systemClock.wallMs() - hourMs) < 60_000);
  assert.equal(Date.parse(validTo) - Date.parse(validFrom), hourMs);
});

test("without the optional package the error says what to install", () => {
  const hide = `export const resolve = (name, context, next) => {
    if (name !== "selfsigned") return next(name, context);
    throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
  };`;
  const lab = new URL("../../../src/lab/index.js", import.meta.url).href;
  const script = `
    import { register } from "node:module";
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hide)}`)});
    const { testAuthority } = await import(${JSON.stringify(lab)});
    await testAuthority().catch((error) => console.log(error.code, error.message));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  assert.match(stdout, /^HF_OPTION .*npm install --save-dev selfsigned/, stderr);
});
