import type { Backoff } from "../backoff.ts";

/** What one system does by default, exactly, with where it was read. */
export interface Preset {
  /** The name it is asked for by: `nats.go`, `grpc-js-corrected` … */
  readonly name: string;
  /** One sentence: the formula and what is particular about it. */
  readonly describe: string;
  /** The version and the place it was read or measured in. */
  readonly source: string;
  /** The peer's own defaults, units at the end of the names (a plain number is a count or a factor). */
  readonly constants: Readonly<Record<string, number>>;
  /** What the formula does against its own intent. Empty for most. */
  readonly defects: readonly string[];
  /** The name of the variant without the defects. Present when there are any. */
  readonly corrected?: string;
  /** The backoff with these constants. Immutable: one may serve any number of links. */
  readonly backoff: Backoff;
}

/** A preset without defects needs not say so. */
export function preset(fields: Omit<Preset, "defects"> & { readonly defects?: readonly string[] }): Preset {
  return { defects: [], ...fields };
}
