import type { DemoKind } from "./link.ts";
import { mysql2 } from "./mysql2.ts";
import { nats } from "./nats.ts";
import { pg } from "./pg.ts";
import { redis } from "./redis.ts";
import { tcp } from "./tcp.ts";

/** Every link of the demo. A new driver adds one entry, with a file of its own. */
export const demoKinds: readonly DemoKind[] = [tcp, nats, redis, mysql2, pg];
