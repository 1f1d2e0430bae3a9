/**
 * A small vocabulary to validate options before anything is dialled. A check reads an unknown value and returns it
 * typed, or throws `HF_OPTION` naming the key, the value and what is allowed.
 *
 * ```ts
 * const dialOptions = object({ host: string(), port: optional(integer({ min: 1, max: 65_535 })) });
 * dialOptions.read({ host: "a", prot: 1 }, "socket"); // unknown option "socket.prot"; did you mean "port"?
 * ```
 */
import { type BareNumber, formatDuration, parseGoDuration } from "../time/index.ts";
import { optionError, unknownOptionError } from "./error.ts";
import { didYouMean } from "./suggest.ts";

export interface Check<T> {
  /** What is allowed, in words: ends the sentence "must be …". */
  readonly allowed: string;
  /** Returns the value typed and normalised, or throws `HF_OPTION`. `key` is the dotted path for messages. */
  read(value: unknown, key: string): T;
}

/** A check whose key may be absent. */
export interface OptionalCheck<T> extends Check<T | undefined> {
  readonly optional: true;
}

export interface Range {
  /** Smallest allowed value. Default: none. */
  readonly min?: number;
  /** Largest allowed value. Default: none. */
  readonly max?: number;
}

function rangeWords(range: Range, show: (value: number) => string = String): string {
  const { min } = range;
  const max = range.max === Number.POSITIVE_INFINITY ? undefined : range.max;
  if (min !== undefined && max !== undefined) return ` from ${show(min)} to ${show(max)}`;
  if (min !== undefined) return `, at least ${show(min)}`;
  return max === undefined ? "" : `, at most ${show(max)}`;
}

function inRange(value: number, { min, max }: Range): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max);
}

function check<T>(allowed: string, accept: (value: unknown) => T | undefined): Check<T> {
  return {
    allowed,
    read(value, key) {
      const accepted = accept(value);
      if (accepted === undefined) throw optionError(key, value, allowed);
      return accepted;
    },
  };
}

/** A finite number. Infinity only where `max` is Infinity. */
export function number(range: Range = {}): Check<number> {
  return check(`a number${rangeWords(range)}`, (value) => {
    if (typeof value !== "number" || Number.isNaN(value)) return undefined;
    if (!Number.isFinite(value) && Math.abs(range.max ?? 0) !== Infinity) return undefined;
    return inRange(value, range) ? value : undefined;
  });
}

/** A whole number that a double holds exactly. */
export function integer(range: Range = {}): Check<number> {
  return check(`a whole number${rangeWords(range)}`, (value) =>
    Number.isSafeInteger(value) && inRange(value as number, range) ? (value as number) : undefined,
  );
}

export function boolean(): Check<boolean> {
  return check("true or false", (value) => (typeof value === "boolean" ? value : undefined));
}

/** A string; not empty unless `allowEmpty`. */
export function string(options: { readonly allowEmpty?: boolean } = {}): Check<string> {
  const allowEmpty = options.allowEmpty === true;
  return check(allowEmpty ? "a string" : "a string that is not empty", (value) =>
    typeof value === "string" && (allowEmpty || value !== "") ? value : undefined,
  );
}

/** A function, passed through as it is; its arguments can't be checked. */
export function callback<F extends (...args: never[]) => unknown>(): Check<F> {
  return check("a function", (value) => (typeof value === "function" ? (value as F) : undefined));
}

/** One of a few literals; a near miss is suggested. */
export function oneOf<const T extends string | number | boolean>(literals: readonly T[]): Check<T> {
  const allowed = `one of ${literals.map((literal) => JSON.stringify(literal)).join(", ")}`;
  const words = literals.filter((literal): literal is T & string => typeof literal === "string");
  return {
    allowed,
    read(value, key) {
      if (literals.includes(value as T)) return value as T;
      throw optionError(key, value, allowed, typeof value === "string" ? didYouMean(value, words) : "");
    },
  };
}

/**
 * A duration: a number of milliseconds, or text as Go writes it (`"1m30s"`). The value is milliseconds.
 * `bare` says what text without a unit means; the default is to refuse it.
 */
export function duration(range: Range & { readonly bare?: BareNumber } = { min: 0 }): Check<number> {
  const words = rangeWords(range, formatDuration);
  return check(`milliseconds as a number, or a duration like "1m30s" or "250ms"${words}`, (value) => {
    const ms = typeof value === "string" ? parseGoDuration(value, range.bare) : value;
    return typeof ms === "number" && !Number.isNaN(ms) && inRange(ms, range) ? ms : undefined;
  });
}

/** Every element passes the inner check; at least `min` of them (default 0). */
export function listOf<T>(inner: Check<T>, min = 0): Check<readonly T[]> {
  const allowed = `a list${min > 0 ? ` of at least ${min}` : ""}, each ${inner.allowed}`;
  return {
    allowed,
    read(value, key) {
      if (!Array.isArray(value) || value.length < min) throw optionError(key, value, allowed);
      return value.map((element, index) => inner.read(element, `${key}[${index}]`));
    },
  };
}

/** The first alternative that accepts wins. */
export function either<A, B>(a: Check<A>, b: Check<B>): Check<A | B> {
  const allowed = `${a.allowed}, or ${b.allowed}`;
  return {
    allowed,
    read(value, key) {
      for (const alternative of [a, b]) {
        try {
          return alternative.read(value, key);
        } catch {
          // The next alternative may accept it; if none does, the error below names them all.
        }
      }
      throw optionError(key, value, allowed);
    },
  };
}

/** The key may be absent or undefined. */
export function optional<T>(inner: Check<T>): OptionalCheck<T> {
  return {
    allowed: inner.allowed,
    optional: true,
    read: (value, key) => (value === undefined ? undefined : inner.read(value, key)),
  };
}

/** The key may be absent or undefined; then this value stands in. */
export function withDefault<T>(inner: Check<T>, fallback: T): Check<T> {
  return {
    allowed: inner.allowed,
    read: (value, key) => (value === undefined ? fallback : inner.read(value, key)),
  };
}

export type Shape = Readonly<Record<string, Check<unknown>>>;

type OptionalKeys<S> = { [K in keyof S]: S[K] extends OptionalCheck<unknown> ? K : never }[keyof S];

/** What an object check returns: optional keys stay optional. */
export type Checked<S extends Shape> = {
  readonly [K in Exclude<keyof S, OptionalKeys<S>>]: S[K] extends Check<infer T> ? T : never;
} & {
  readonly [K in OptionalKeys<S>]?: S[K] extends OptionalCheck<infer T> ? T : never;
};

/** An object with these keys and no others: an unknown key is an error with a suggestion, never ignored. */
export function object<const S extends Shape>(shape: S): Check<Checked<S>> {
  const keys = Object.keys(shape);
  const allowed = `an object with ${keys.join(", ")}`;
  return {
    allowed,
    read(value, path) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw optionError(path === "" ? "options" : path, value, allowed);
      }
      refuseUnknownKeys(value, keys, path);
      const result: Record<string, unknown> = {};
      for (const key of keys) {
        const given = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
        const read = shape[key]!.read(given, path === "" ? key : `${path}.${key}`);
        if (read !== undefined) result[key] = read;
      }
      return result as Checked<S>;
    },
  };
}

/** Throws for the first key of `value` that is not among `known`. */
export function refuseUnknownKeys(value: object, known: readonly string[], path: string): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    throw unknownOptionError(path === "" ? key : `${path}.${key}`, known, didYouMean(key, known));
  }
}
