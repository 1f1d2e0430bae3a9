import type { Mood } from "./told.ts";

/** One line of the demo's story. */
export interface EventLine {
  readonly atMs: number;
  /** The driver, or `storm`. */
  readonly who: string;
  readonly text: string;
  readonly mood: Mood;
}
