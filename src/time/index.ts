/** Room `time`: clocks, timers and randomness, real and virtual. */
export type { Clock, Timer, TimerOptions } from "./clock.ts";
export { CoarseTimers } from "./coarse.ts";
export { type BareNumber, formatDuration, parseGoDuration, parseHoconDuration } from "./duration.ts";
export { below, type Random, seededRandom, shuffled, uniform } from "./random.ts";
export { systemClock, systemRandom, systemWorld, virtualWorld, type World } from "./system.ts";
export { VirtualClock } from "./virtual.ts";
