import type { RetryBudget, RetryPolicy } from "../call/index.ts";
import type { Endpoint, EndpointSetOptions } from "../endpoint/index.ts";
import type { World } from "../time/index.ts";
import type { Driver } from "./driver.ts";
import type { LivenessOptions } from "./liveness.ts";
import type { OutboxLimits } from "./outbox.ts";
import type { DialPermits } from "./permits.ts";
import type { LinkPolicy } from "./policy.ts";

/** Everything a link needs to know; complete, without defaults (those live in the options room). */
export interface LinkConfig<C> {
  readonly name: string;
  readonly driver: Driver<C>;
  readonly endpoints: readonly Endpoint[];
  readonly endpointOptions: EndpointSetOptions;
  readonly policy: LinkPolicy;
  readonly outbox: OutboxLimits;
  readonly retry: RetryPolicy;
  readonly budget?: RetryBudget;
  readonly writeBufferBytes: number;
  readonly liveness: LivenessOptions;
  readonly drainTimeoutMs: number;
  readonly permits?: DialPermits;
  readonly world: World;
}
