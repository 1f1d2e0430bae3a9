/**
 * Holdfast keeps a program's network connections alive, and tells the truth about what happened to the work. This is
 * the engine; the drivers are `holdfast/redis`, `holdfast/tcp` …
 */
/** Curves, jitter, limits and every peer's preset. */

export type { Backoff, Schedule, Step, StepContext } from "./backoff/index.ts";
export * as backoff from "./backoff/index.ts";
export * from "./call/index.ts";
export * from "./endpoint/index.ts";
export * from "./governor/index.ts";
export * from "./link/index.ts";
export * from "./observe/index.ts";
export { type Default, defaults, type ResilienceOptions, resolveResilience } from "./options/index.ts";
export * from "./pool/index.ts";
export * from "./time/index.ts";
