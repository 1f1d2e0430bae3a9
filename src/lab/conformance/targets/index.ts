/** The drivers the suite can be run on. Loaded when asked for: each needs its client library. */
import { HoldfastError } from "../../../call/index.ts";
import type { ConformanceTarget } from "../target.ts";

const targets: Readonly<Record<string, () => Promise<ConformanceTarget>>> = {
  tcp: async () => (await import("./tcp.ts")).tcpTarget,
  mysql2: async () => (await import("./mysql2.ts")).mysql2Target(),
  nats: async () => (await import("./nats.ts")).natsTarget(),
  pg: async () => (await import("./pg.ts")).pgTarget(),
  redis: async () => (await import("./redis.ts")).redisTarget(),
};

/** Names for `loadTarget`. */
export const targetNames: readonly string[] = Object.keys(targets);

/** The adapter of a driver. Throws `HF_OPTION` for a name that is not in the list. */
export function loadTarget(driver: string): Promise<ConformanceTarget> {
  const load = Object.hasOwn(targets, driver) ? targets[driver] : undefined;
  if (load !== undefined) return load();
  throw new HoldfastError("HF_OPTION", `unknown driver "${driver}"; known: ${targetNames.join(", ")}`);
}
