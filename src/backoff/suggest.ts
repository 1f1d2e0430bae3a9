/** ` (did you mean "x"?)` when one of `known` is near `word`, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? "" : ` (did you mean "${near}"?)`;
}

/**
 * The known word a typing mistake away: at most a third of its letters differ, or one begins with the other. Case and
 * `-`, `_`, `.` don't count: `nodredis` lacks one letter of `node-redis`, and is not two from `go-redis`.
 */
function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = undress(word);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(wanted, undress(candidate));
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  if (best !== undefined && bestDistance <= Math.max(2, Math.ceil(best.length / 3))) return best;
  return wanted.length < 3 ? undefined : known.find((candidate) => undress(candidate).startsWith(wanted));
}

function undress(word: string): string {
  return word.toLowerCase().replace(/[-_.]/g, "");
}

/** Levenshtein: insertions, removals and substitutions from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
