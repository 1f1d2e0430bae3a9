/**
 * `npm run soak -- [--minutes N] [--seed S] [--driver D]…`: the outcome ledger of each driver through one long seeded
 * storm, the drivers side by side. Default: 10 minutes, seed 1, every driver. The last line is one JSON object; exit
 * status 1 when a zero is broken, or less than 90 % of the fault-free rate was acknowledged between the faults.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { main, root, SetupError, setup } from "./setup.mjs";

const HELP = `npm run soak -- [--minutes N] [--seed S] [--driver D]…

The outcome ledger of each driver through one long seeded storm. The last line is one JSON object; exit status 1 when
something acknowledged is absent, applied twice, told wrongly or never settled.

  --minutes N   default 10
  --seed S      default 1; the same seed is the same storm
  --driver D    only this driver; may be given several times`;

await main(async () => {
  const { minutes, seed, drivers } = readArgs();
  await setup("dist");
  const lab = await import(pathToFileURL(join(root, "dist", "lab", "index.js")).href);
  const unknown = drivers.find((name) => !lab.targetNames.includes(name));
  if (unknown !== undefined)
    throw new SetupError(`unknown driver "${unknown}"; known: ${lab.targetNames.join(", ")}`);
  const names = drivers.length > 0 ? drivers : lab.targetNames;
  console.log(`soaking ${names.join(", ")} for ${minutes} minutes, seed ${seed}`);
  const links = await Promise.all(names.map((name, i) => soak(lab, name, minutes, seed + i)));
  const ok = links.every((link) => link.ok);
  process.exitCode = ok ? 0 : 1;
  console.log(JSON.stringify({ ok, minutes, seed, links }));
}, HELP);

function readArgs() {
  let values;
  try {
    const number = { type: "string" };
    const options = { minutes: number, seed: number, driver: { type: "string", multiple: true } };
    ({ values } = parseArgs({ options }));
  } catch (error) {
    throw new SetupError(error.message);
  }
  const minutes = Number(values.minutes ?? 10);
  const seed = Number(values.seed ?? 1);
  if (!(minutes > 0)) throw new SetupError(`--minutes is ${values.minutes}, but must be a number above 0`);
  if (!Number.isSafeInteger(seed))
    throw new SetupError(`--seed is ${values.seed}, but must be a whole number`);
  return { minutes, seed, drivers: values.driver ?? [] };
}

async function soak(lab, name, minutes, seed) {
  let result;
  try {
    result = await lab.soakTarget(await lab.loadTarget(name), {
      minutes,
      seed,
      onHealed: (fault, tookMs) =>
        console.log(`${name}: ${fault}, working again after ${Math.round(tookMs)} ms`),
    });
  } catch (error) {
    console.log(`${name}: FAILED ${error.message}`);
    return { driver: name, ok: false, reason: error.message };
  }
  console.log(`${name}: ${result.told}`);
  const { told: _told, ...link } = result;
  return link;
}
