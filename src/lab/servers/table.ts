import type { ServerEntry } from "./entry.ts";
import { mariadb } from "./mariadb.ts";
import { mysql } from "./mysql.ts";
import { nats, natsCurrent } from "./nats.ts";
import { postgres } from "./postgres.ts";
import { redis } from "./redis.ts";

export type ServerName = "redis" | "nats" | "nats-current" | "mariadb" | "mysql" | "postgres";

/** Every server the lab can run. A new one is one entry (with its name above, its parts in a file of its own). */
export const serverTable: Readonly<Record<ServerName, ServerEntry>> = {
  redis,
  nats,
  "nats-current": natsCurrent,
  mariadb,
  mysql,
  postgres,
};

export const serverNames: readonly ServerName[] = Object.keys(serverTable) as ServerName[];
