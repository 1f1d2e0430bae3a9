/**
 * `npm run bench [-- name … | all] [--json] [--full] [--write]`: makes the checkout ready and runs benches; without a
 * name it lists them. Progress goes to standard error, results to standard output; with `--json` the last line is one
 * object.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { main, root, setup } from "./setup.mjs";

await main(async () => {
  await setup("build");
  const program = join(root, "build", "bench", "main.js");
  const child = spawn(process.execPath, ["--expose-gc", program, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  // Ctrl-C reaches the child too: it ends first, and its status is ours.
  process.on("SIGINT", () => {});
  process.exitCode = await new Promise((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 130)));
  });
});
