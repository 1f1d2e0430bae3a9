/** Room `observe`: what a link is doing, for people, logs, probes and traces. */

export { redact } from "../call/index.ts";
export { explain } from "./explain.ts";
export { handleOf, type Resilience, resilienceOf } from "./handle.ts";
export { type Health, health } from "./health.ts";
export { type PoolResilience, poolResilience } from "./pool-handle.ts";
export { publish, type TracedEvent, type TracedMessage, trace, tracedEvents } from "./tracing.ts";
