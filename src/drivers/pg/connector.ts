/** Teaches the elastic pool pg: dial, validate, clean, close. */
import type { Connector } from "../../pool/index.ts";
import { sqlConnector } from "../../sql/index.ts";
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
  return sqlConnector<Physical>(settings, {
    async dial(endpoint, signal, use, primaryOnly) {
      let physical: Physical | undefined;
      const lost = (cause: unknown): void => {
        if (use === undefined || physical === undefined) return; // the dial fails with it
        use.lost(cause);
        owner.lost(physical, cause);
      };
      physical = await dialPg(
        { ...settings.plan, primaryOnly },
        {
          ...{ endpoint, signal, step: () => {}, tap: () => {}, lost },
          ...(use !== undefined && { made: (one: Physical) => owner.made(one) }),
        },
      );
      physical.leave = use?.leaving;
      return physical;
    },
    closed: (physical) => owner.removed(physical),
    async validate(physical) {
      await physical.ask(probeText);
    },
    reset: (physical) => cleaning(physical, settings),
    classify: (error) => classifyPgLink(error, "dial"),
    ref: (physical) => physical.wire.ref(),
    unref: (physical) => physical.wire.unref(),
  });
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
