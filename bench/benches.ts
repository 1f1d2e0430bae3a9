import { acceptDrop } from "./accept-drop.ts";
import type { Bench } from "./bench.ts";
import { gate } from "./gate.ts";
import { idle } from "./idle.ts";
import { backoff, machine } from "./machine.ts";
import { nats } from "./nats.ts";
import { overhead } from "./overhead.ts";
import { pool } from "./pool.ts";
import { recovery } from "./recovery.ts";
import { sqlOutage } from "./sql-outage.ts";

/** Every bench by its name, in the order of `all`. */
export const benches: Readonly<Record<string, Bench>> = {
  overhead,
  recovery,
  nats,
  gate,
  pool,
  sql: sqlOutage,
  idle,
  "accept-drop": acceptDrop,
  machine,
  backoff,
};
