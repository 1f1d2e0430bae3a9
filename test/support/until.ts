/** Waiting for a condition that nothing announces, with a deadline; never a plain sleep. */
export { until } from "../../src/lab/servers/until.ts";
