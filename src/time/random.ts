/** A source of uniform randomness; seedable, so that a test can replay what happened. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** A number in [low, high). `low` when the range is empty. */
export function uniform(random: Random, low: number, high: number): number {
  return high > low ? low + random.next() * (high - low) : low;
}

/** An integer in [0, count). */
export function below(random: Random, count: number): number {
  return Math.floor(random.next() * count);
}

/** A shuffled copy (Fisher–Yates). */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}

/**
 * A fast generator with 32 bits of state per word (sfc32), good enough for jitter and tests; not for secrets.
 * The same seed gives the same sequence on every machine.
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;
  const step = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 16; i++) step(); // mixes a small seed through the whole state
  return { next: () => step() / 2 ** 32 };
}
