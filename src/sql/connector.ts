/** What the connectors of both SQL drivers have in common: which of several servers a pool's connections are on. */
import type { Endpoint } from "../endpoint/index.ts";
import { processGovernor } from "../governor/index.ts";
import type { ResolvedResilience } from "../options/index.ts";
import type { Connector, OpenContext } from "../pool/index.ts";
import { PoolEndpoints } from "./endpoints.ts";
import { FailBack } from "./fail-back.ts";
import { firstThatWorks } from "./first-that-works.ts";
import type { Placed } from "./look.ts";

export interface SqlPhysical extends Placed {
  /** Why the server refuses to write; `undefined` while it does not. */
  readonly refused: unknown;
}

export interface SqlConnectorSettings {
  readonly endpoints: readonly Endpoint[];
  readonly resolved: ResolvedResilience;
  readonly failBackMs: number | false;
  readonly plan: { readonly primaryOnly: boolean };
  readonly name: string;
}

/** What happens to a connection while a pool has it. */
export interface SqlUse extends Pick<OpenContext, "lost" | "leaving"> {}

export interface SqlConnectorRules<C> extends Omit<Connector<C>, "open" | "close"> {
  /**
   * Dials one server. Without a use the connection is only to show that it can be made: no hook hears of it.
   * @param asPrimary refuse one that only reads
   */
  dial(endpoint: Endpoint, signal: AbortSignal, use: SqlUse | undefined, asPrimary: boolean): Promise<C>;
  /** A connection of the pool is closed. */
  closed?(connection: C): void;
}

export function sqlConnector<C extends SqlPhysical>(
  { resolved, name, failBackMs, plan, ...given }: SqlConnectorSettings,
  { dial, closed, ...rules }: SqlConnectorRules<C>,
): Connector<C> {
  const { world, policy, endpointOptions, permits = processGovernor } = resolved;
  const { clock, random } = world;
  const { connectTimeoutMs } = policy;
  const { primaryOnly } = plan;
  const endpoints = new PoolEndpoints(given.endpoints, endpointOptions.order, random);
  const failBack = new FailBack<C>({
    ...{ endpoints, world, permits, name, everyMs: failBackMs, limitMs: connectTimeoutMs },
    dial: (endpoint, signal, asPrimary) => dial(endpoint, signal, undefined, primaryOnly || asPrimary),
  });
  return {
    ...rules,
    async open({ signal, lost, leaving }) {
      const tried = endpoints.inOrder(clock.nowMs());
      let used: object | undefined;
      const connection = await firstThatWorks<C>({
        ...{ endpoints: tried, clock, signal, patienceMs: connectTimeoutMs / tried.length },
        dial(endpoint, limit) {
          const use: SqlUse = {
            // Until it is the one that is used, its end is the dial's affair.
            lost: (cause) => used === use && lost(cause),
            leaving,
          };
          return dial(endpoint, limit, use, primaryOnly).then((made) => {
            used ??= use;
            return made;
          });
        },
        elsewhere: (error) => PoolEndpoints.elsewhere(rules.classify(error)),
        worked: (endpoint) => endpoints.worked(endpoint, primaryOnly),
        failed: (endpoint) => endpoints.failed(endpoint, clock.nowMs()),
        drop: (late) => late.destroy(),
      });
      failBack.joined(connection, leaving);
      return connection;
    },

    async close(connection, how) {
      if (connection.refused !== undefined) endpoints.refused(connection.endpoint, clock.nowMs());
      failBack.left(connection);
      if (how === "abrupt") connection.destroy();
      else await connection.end();
      closed?.(connection);
    },
  };
}
