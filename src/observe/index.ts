/** Room `observe`: what a link is doing, for people, logs, probes and traces. */
export { explain } from "./explain.ts";
export { type Resilience, resilienceOf } from "./handle.ts";
export { type Health, health } from "./health.ts";
export { redact } from "./redact.ts";
export { type TracedEvent, type TracedMessage, trace, tracedEvents } from "./tracing.ts";
