/**
 * `npm run conformance -- <driver> [--json]`: the conformance suite on one driver and its real server. With `--json`
 * the last line is `{"driver","server","passed","failed","skipped"}`. Exit status 1 when a case failed.
 * `--ledger`: instead, the driver's ledger over rolling restarts of its cluster.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { main, root, SetupError, setup } from "./setup.mjs";

const HELP = `npm run conformance -- <driver> [--server NAME] [--json]
npm run conformance -- <driver> --ledger [--rounds N] [--rate N] [--server NAME] [--json]

The conformance suite on one driver and its real server: faults, restarts, half-open peers, fail-over, credentials,
closing in every state, a thousand reconnects, and the outcome ledger. Exit status 1 when a case failed.

  --ledger        instead: rolling restarts of the driver's cluster under a stream of numbered writes, then the audit.
                  Exit status 1 when something acknowledged is absent, applied twice, told wrongly or never settled.
  --rounds N      rolling restarts; each restarts every member once. Default 20
  --rate N        writes per second. Default 10000
  --server NAME   another server of the lab's table, such as mysql, or nats-current with --ledger
  --json          last line: {"driver","server","passed","failed","skipped"}, or the ledger's figures`;

await main(async () => {
  const { driver, json, ledger, rounds, rate, server } = readArgs();
  await setup("dist");
  const lab = await import(pathToFileURL(join(root, "dist", "lab", "index.js")).href);
  const known = `known: ${lab.targetNames.join(", ")}`;
  if (driver === undefined) throw new SetupError(`npm run conformance -- <driver> [--json]; ${known}`);
  if (!lab.targetNames.includes(driver)) throw new SetupError(`unknown driver "${driver}"; ${known}`);
  if (server !== undefined && !lab.serverNames.includes(server))
    throw new SetupError(`unknown server "${server}"; known: ${lab.serverNames.join(", ")}`);
  const target = await lab.loadTarget(driver);
  try {
    if (ledger) await rollingLedger(target, { rounds, perSecond: rate, server }, json);
    else await suite(lab, onServer(target, server), json);
  } catch (error) {
    if (!(error instanceof lab.ServerUnavailable)) throw error;
    throw new SetupError(error.message);
  }
}, HELP);

function readArgs() {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
  const options = { json: flag, ledger: flag, rounds: text, rate: text, server: text };
  let parsed;
  try {
    parsed = parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new SetupError(error.message);
  }
  const { values, positionals } = parsed;
  const whole = (name, fallback) => {
    const value = Number(values[name] ?? fallback);
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new SetupError(`--${name} is ${values[name]}, but must be a whole number above 0`);
  };
  if (!values.ledger && (values.rounds ?? values.rate) !== undefined)
    throw new SetupError("--rounds and --rate belong to --ledger");
  return {
    driver: positionals.length === 1 ? positionals[0] : undefined,
    json: values.json,
    ledger: values.ledger,
    rounds: whole("rounds", 20),
    rate: whole("rate", 10_000),
    server: values.server,
  };
}

function onServer(target, server) {
  if (server === undefined) return target;
  const other = target.withServer?.(server);
  if (other === undefined)
    throw new SetupError(`the suite of ${target.driver} does not run on the server "${server}"`);
  return other;
}

async function suite(lab, target, json) {
  const result = await lab.runConformance(target, { onResult: tell });
  const { driver, server, passed, failed, skipped } = result;
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
  console.log(`\n${driver} on ${server}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (json) console.log(JSON.stringify({ driver, server, passed, failed, skipped }));
}

async function rollingLedger(target, { rounds, perSecond, server }, json) {
  const kinds = Object.entries(target.rolling ?? {});
  if (kinds.length === 0)
    throw new SetupError(`holdfast/${target.driver} has no ledger over rolling restarts`);
  const reports = [];
  for (const [writes, run] of kinds) {
    console.log(`${writes}: ${rounds} rolling restarts under ${perSecond} writes a second`);
    const report = await run({
      rounds,
      perSecond,
      ...(server !== undefined && { server }),
      onRestarted: (label, tookMs) => console.log(`  ${label}: works again after ${Math.round(tookMs)} ms`),
    });
    reports.push(figures(writes, report));
    console.log(`${writes} on ${report.server}: ${report.told}; ${Math.round(report.perSecond)} a second`);
  }
  const ok = reports.every((report) => report.ok);
  process.exitCode = ok ? 0 : 1;
  if (json) console.log(JSON.stringify({ driver: target.driver, ok, ledgers: reports }));
}

function figures(writes, { server, ok, verdict, restarts, perSecond, tookMs }) {
  return {
    writes,
    server,
    ok,
    restarts,
    seconds: Math.round(tookMs / 1_000),
    perSecond: Math.round(perSecond),
    sent: verdict.sent,
    acknowledged: verdict.acknowledged,
    answered: verdict.answered,
    notApplied: verdict.notApplied,
    unknown: verdict.unknown,
    unknownApplied: verdict.unknownApplied,
    lost: verdict.lost.length,
    duplicated: verdict.duplicated.length,
    falselyNotApplied: verdict.falselyNotApplied.length,
    unsettled: verdict.unsettled.length,
    unexplained: verdict.unexplained.length,
    mostUnknownAtOneCut: Math.max(0, ...verdict.cuts.map(({ unknown }) => unknown)),
  };
}

function tell({ name, items, status, reason, tookMs }) {
  const proves = items.length > 0 ? ` [${items.join(", ")}]` : "";
  const why = reason === undefined ? "" : `\n          ${reason.replace(/\n/g, "\n          ")}`;
  console.log(`${status.padEnd(7)}  ${name}${proves} (${tookMs} ms)${why}`);
}
