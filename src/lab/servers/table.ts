import type { ServerEntry } from "./entry.ts";
import { nats } from "./nats.ts";
import { redis } from "./redis.ts";

/** Every server the lab can run. A new one is one entry (its parts in a file of its own) and nothing else. */
export const serverTable = { redis, nats } as const satisfies Readonly<Record<string, ServerEntry>>;

export type ServerName = keyof typeof serverTable;

export const serverNames: readonly ServerName[] = Object.keys(serverTable) as ServerName[];
