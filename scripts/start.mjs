/**
 * `npm start [-- options of the demo]`: makes the checkout ready and runs `holdfast demo`. With `--install`, servers
 * that are missing are installed through the system's package manager; without it they are unpacked into `.cache/`.
 *
 * After Ctrl-C the demo settles, judges and ends with its own status. npm does not pass that on: it got the signal too,
 * and ends by it (130). `node scripts/start.mjs` has the demo's status.
 */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { main, root, SetupError, setup } from "./setup.mjs";

await main(async () => {
  const args = process.argv.slice(2);
  if (args.includes("--install")) process.env.HOLDFAST_SERVERS = "install";
  await setup("dist");
  const program = join(root, "dist", "cli", "main.js");
  await access(program).catch(() => {
    throw new SetupError(`${program} is missing`);
  });
  // In this very process: signals and the exit status need no passing on.
  process.argv = [process.execPath, program, "demo", ...args.filter((arg) => arg !== "--install")];
  await import(pathToFileURL(program).href);
});
