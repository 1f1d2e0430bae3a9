/** Teaches the elastic pool pg: dial, validate, clean, close. */
import type { Connector } from "../../pool/index.ts";
import { PoolEndpoints } from "../../sql/index.ts";
import { dialPg, setUp } from "./dial.ts";
import { probeText } from "./driver.ts";
import { classifyPgLink } from "./errors.ts";
import type { Physical } from "./physical.ts";
import type { PgSettings } from "./settings.ts";

export interface ConnectorOwner {
  /** Hears of a new connection before anybody can use it. */
  made(physical: Physical): Promise<void>;
  /** A connection was lost. */
  lost(physical: Physical, cause: unknown): void;
  /** A connection is closed. */
  removed(physical: Physical): void;
}

export function pgConnector(settings: PgSettings, owner: ConnectorOwner): Connector<Physical> {
  const { plan, resolved } = settings;
  const { clock, random } = resolved.world;
  const endpoints = new PoolEndpoints(settings.endpoints, resolved.endpointOptions.order, random);
  return {
    async open({ signal, lost, leaving }) {
      const failures: unknown[] = [];
      for (const endpoint of endpoints.inOrder(clock.nowMs())) {
        try {
          const physical: Physical = await dialPg(plan, {
            ...{ endpoint, signal, step: () => {}, tap: () => {}, made: (one) => owner.made(one) },
            lost: (cause) => {
              lost(cause);
              owner.lost(physical, cause);
            },
          });
          physical.leave = leaving;
          endpoints.worked(endpoint);
          return physical;
        } catch (error) {
          endpoints.failed(endpoint, clock.nowMs());
          failures.push(error);
          if (signal.aborted || !PoolEndpoints.elsewhere(classifyPgLink(error, "dial"))) throw error;
        }
      }
      if (failures.length === 1) throw failures[0];
      throw new AggregateError(failures, `none of ${endpoints.size} servers can be used`);
    },

    async close(physical, how) {
      if (physical.refused !== undefined) endpoints.failed(physical.endpoint, clock.nowMs());
      if (how === "abrupt") physical.destroy();
      else await physical.end();
      owner.removed(physical);
    },

    async validate(physical) {
      await physical.ask(probeText);
    },

    reset: (physical) => cleaning(physical, settings),
    classify: (error) => classifyPgLink(error, "dial"),
    ref: (physical) => physical.wire.ref(),
    unref: (physical) => physical.wire.unref(),
  };
}

/** Nothing, when the session is as its set-up left it. */
function cleaning(physical: Physical, { reset, plan }: PgSettings): Promise<void> | undefined {
  const { word, lostCause } = physical;
  if (lostCause !== undefined) return Promise.reject(lostCause);
  const unclean = reset === "always" || physical.dirty || word.changed;
  if (!unclean && word.inTransaction !== true) return undefined;
  const clean = async (): Promise<void> => {
    if (word.inTransaction === true) await physical.ask("ROLLBACK");
    if (!unclean) return;
    await physical.ask("DISCARD ALL");
    physical.forgetAllPrepared();
    await setUp(physical, plan, true);
  };
  return clean();
}
