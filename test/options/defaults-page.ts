import { defaults } from "../../src/options/index.ts";

/** docs/defaults.md, whole: a table of every default with its reason. */
export function defaultsPage(): string {
  const rows = Object.entries(defaults).map(
    ([name, { value, unit, reason }]) =>
      `| \`${name}\` | ${shown(value)} | ${cell(unit)} | ${cell(reason)} |`,
  );
  return [
    "# Defaults",
    "",
    "Every default of the `resilience` options, with its reason. A driver whose peer documents another value uses the",
    "peer's; its own page says so. `governor.…` are those of `new Governor({ … })`, the process-wide permits to dial; one of",
    "your own is `resilience.governor`. Generated from `src/options/defaults.ts` by `node scripts/generate-defaults.mjs`; a",
    "test fails when they differ.",
    "",
    "| option | default | unit | why |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

function shown(value: unknown): string {
  if (value === Number.POSITIVE_INFINITY) return "no limit";
  return typeof value === "number" ? value.toLocaleString("en-US") : `\`${String(value)}\``;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");
