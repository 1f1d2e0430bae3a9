/** Teaches the elastic pool mysql2: dial, validate, clean, close. */
import { HoldfastError } from "../../call/index.ts";
import type { Connector } from "../../pool/index.ts";
import { sqlConnector } from "../../sql/index.ts";
import { dialMysql, setUp } from "./dial.ts";
import { classifyMysqlLink } from "./errors.ts";
import type { Physical } from "./physical.ts";
import { quoted } from "./session-core.ts";
import type { MysqlSettings } from "./settings.ts";

/** @param made hears of a new connection before anybody can use it */
export function mysqlConnector(
  settings: MysqlSettings,
  made: (physical: Physical) => void,
): Connector<Physical> {
  return sqlConnector<Physical>(settings, {
    async dial(endpoint, signal, use, primaryOnly) {
      const physical = await dialMysql(
        { ...settings.plan, primaryOnly },
        {
          ...{ endpoint, signal, step: () => {}, tap: () => {} },
          lost: (cause) => use?.lost(cause),
        },
      );
      if (use !== undefined) made(physical);
      return physical;
    },
    async validate(physical) {
      await physical.run((connection, done) => connection.ping(done));
    },
    reset: (physical) => cleaning(physical, settings),
    classify: (error) => classifyMysqlLink(error, "ready"),
  });
}

/** Nothing, when the session is as its set-up left it. */
function cleaning(physical: Physical, settings: MysqlSettings): Promise<void> | undefined {
  const { word } = physical;
  if (physical.lostCause !== undefined) return Promise.reject(physical.lostCause);
  if (physical.spoiled)
    return Promise.reject(new HoldfastError("HF_RESTORE", "the user of the session was changed"));
  if (settings.reset === "always" || physical.dirty || word.changed) return clean(physical, settings);
  return word.inTransaction === true ? rollBack(physical) : undefined;
}

async function rollBack(physical: Physical): Promise<void> {
  await physical.query("ROLLBACK");
}

/** COM_RESET_CONNECTION keeps the current database, which is set back first. */
async function clean(physical: Physical, { plan }: MysqlSettings): Promise<void> {
  const { word, wire } = physical;
  const { database, charsetNumber } = plan.config;
  await physical.run((connection, done) => connection.reset(done));
  word.inTransaction = false;
  wire.config.charsetNumber = charsetNumber;
  if (word.schema !== undefined && word.schema !== (database ?? "")) {
    if (database === undefined)
      throw new HoldfastError("HF_RESTORE", "no statement goes back to no database");
    await physical.query(`USE ${quoted(database)}`);
  }
  word.schema = undefined;
  await setUp(physical, plan);
}
