/** Milliseconds for people: "85 ms", "2 s", "1.5 min". */
export function formatMs(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return "no limit";
  if (ms < 1000) return `${trim(ms)} ms`;
  if (ms < 120_000) return `${trim(ms / 1000)} s`;
  if (ms < 7_200_000) return `${trim(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${trim(ms / 3_600_000)} h`;
  return `${trim(ms / 86_400_000)} days`;
}

/** At most three decimals below 10, fewer above: enough to tell neighbours apart. */
function trim(value: number): string {
  const decimals = value < 10 ? 3 : value < 100 ? 2 : 1;
  return String(Number(value.toFixed(decimals)));
}
