/** What a client that was lent sees of its pool. */
import type { EventEmitter } from "node:events";
import type { ElasticPool } from "../../pool/index.ts";
import type { LeaseRules } from "../../sql/index.ts";
import type { Physical } from "./physical.ts";
import type { PgSettings } from "./settings.ts";

export interface Lender extends Pick<EventEmitter, "emit" | "listenerCount"> {
  readonly elastic: ElasticPool<Physical>;
  readonly settings: PgSettings;
  readonly leaseRules: LeaseRules<Physical>;
  readonly acquireTimeoutMs: number;
  /** Names of prepared statements and their texts: the same on all its connections. */
  readonly names: Map<string, string>;
}
