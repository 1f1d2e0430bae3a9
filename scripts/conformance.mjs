/**
 * `npm run conformance -- <driver> [--json]`: the conformance suite on one driver and its real server. With `--json`
 * the last line is `{"driver","server","passed","failed","skipped"}`. Exit status 1 when a case failed.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { main, root, SetupError, setup } from "./setup.mjs";

const HELP = `npm run conformance -- <driver> [--json]

The conformance suite on one driver and its real server: faults, restarts, half-open peers, fail-over, credentials,
closing in every state, a thousand reconnects, and the outcome ledger. Exit status 1 when a case failed.

  --json   last line: {"driver","server","passed","failed","skipped"}`;

await main(async () => {
  const args = process.argv.slice(2);
  const json = args.includes("--json");
  const names = args.filter((arg) => arg !== "--json");
  await setup("dist");
  const lab = await import(pathToFileURL(join(root, "dist", "lab", "index.js")).href);
  const known = `known: ${lab.targetNames.join(", ")}`;
  if (names.length !== 1) throw new SetupError(`npm run conformance -- <driver> [--json]; ${known}`);
  if (!lab.targetNames.includes(names[0])) throw new SetupError(`unknown driver "${names[0]}"; ${known}`);
  const target = await lab.loadTarget(names[0]);
  let result;
  try {
    result = await lab.runConformance(target, { onResult: tell });
  } catch (error) {
    if (!(error instanceof lab.ServerUnavailable)) throw error;
    throw new SetupError(error.message);
  }
  const { driver, server, passed, failed, skipped } = result;
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
  console.log(`\n${driver} on ${server}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (json) console.log(JSON.stringify({ driver, server, passed, failed, skipped }));
}, HELP);

function tell({ name, items, status, reason, tookMs }) {
  const proves = items.length > 0 ? ` [${items.join(", ")}]` : "";
  const why = reason === undefined ? "" : `\n          ${reason.replace(/\n/g, "\n          ")}`;
  console.log(`${status.padEnd(7)}  ${name}${proves} (${tookMs} ms)${why}`);
}
