/** Small pieces of terminal text: figures, durations, colours, columns. */

/** Colours, or none of them. Applied last, to text that has its final width. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

const same = (text: string): string => text;
const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`;

export const noPaint: Paint = { bold: same, dim: same, red: same, green: same, yellow: same };
export const ansiPaint: Paint = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
};

/** `1,240`: with thousands apart. */
export function figure(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `312 ms`, `2.3 s`, `4.1 min`, `2.5 h`: at most 8 columns up to 11 years. */
export function span(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_597_000) return `${(ms / 60_000).toFixed(1)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/** `3 attempts`, `1 attempt`. */
export function counted(n: number, what: string): string {
  return `${figure(n)} ${what}${n === 1 ? "" : "s"}`;
}

/** One line that can't steer the terminal: a server's own error text may hold anything. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

/** At most `width` columns; what is cut off shows as `…`. */
export function fit(text: string, width: number): string {
  if (text.length <= width) return text;
  return width < 1 ? "" : `${text.slice(0, width - 1)}…`;
}
