/** What a connection that was lent sees of its pool. */
import type { ElasticPool } from "../../pool/index.ts";
import type { LibraryPool } from "./library.ts";
import type { Physical } from "./physical.ts";
import type { MysqlSettings } from "./settings.ts";

export interface Lender extends LibraryPool {
  readonly elastic: ElasticPool<Physical>;
  readonly settings: MysqlSettings;
}
