/**
 * "Did you mean …": the nearest known word to a misspelt one.
 *
 * The distance counts insertions, deletions, replacements and swaps of neighbours, after lower-casing and dropping
 * `-`, `_` and `.`: `dialTimeout`, `dial-timeout` and `dial_timeout` are the same word in different dress.
 */

/** Longer words are nobody's typo, and the distance costs length × length. */
const longestWord = 64;

/** The candidate nearest to `word`, or undefined when none is near enough (a third of its length, at least one edit). */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > longestWord) return undefined;
  const bare = undress(word);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(bare.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate.length > longestWord) continue;
    const distance = editDistance(bare, undress(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const best = suggest(word, candidates);
  return best === undefined ? "" : `; did you mean "${best}"?`;
}

function undress(word: string): string {
  return word.toLowerCase().replace(/[-_.]/g, "");
}

/** Optimal string alignment distance: Levenshtein's, where swapping two neighbours is one edit. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, beforeLast[j - 2]! + 1);
      }
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
