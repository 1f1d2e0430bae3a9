import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { constant } from "../curves.ts";
import { take, within } from "../limits.ts";
import { immediately } from "../sequence.ts";
import { type Preset, preset } from "./preset.ts";

export interface SqlServerOptions {
  /** connectRetryCount, 0…255; 0 is no attempt. Default 1. */
  readonly connectRetryCount?: number;
  /** connectRetryInterval, 1…60 seconds. Default 10. Ignored when the count is 0. */
  readonly connectRetryIntervalS?: number;
  /** loginTimeout, 0…65,535 seconds; 0 means the default, 30. */
  readonly loginTimeoutS?: number;
}

const defaults = { connectRetryCount: 1, connectRetryIntervalS: 10, loginTimeoutS: 30 };

/**
 * Idle connection resiliency as JDBC and ODBC document it: at once on detection, then every interval; it stops after
 * `count` attempts, or at the login timeout when count × interval is longer.
 */
export function sqlServerBackoff(options: SqlServerOptions = {}): Backoff {
  check.keys("sqlServerBackoff", options, Object.keys(defaults));
  const { connectRetryCount, connectRetryIntervalS, loginTimeoutS } = { ...defaults, ...options };
  check.number("connectRetryCount", connectRetryCount, { integer: true, max: 255 });
  const seconds = { integer: true, unit: "seconds" };
  check.number("connectRetryIntervalS", connectRetryIntervalS, { ...seconds, min: 1, max: 60 });
  check.number("loginTimeoutS", loginTimeoutS, { ...seconds, max: 65_535 });
  const every = immediately(constant(connectRetryIntervalS * 1000));
  return within(take(every, connectRetryCount), (loginTimeoutS || defaults.loginTimeoutS) * 1000);
}

const tedious = { connectionRetryIntervalMs: 500, maxRetriesOnTransientErrors: 3 };

export const sqlServerPresets: readonly Preset[] = [
  preset({
    name: "sql-server",
    describe:
      "at once on a broken idle connection, then every 10 s; 1 attempt by default, never past loginTimeout 30 s",
    source:
      "microsoft/mssql-jdbc, documented connectRetryCount and connectRetryInterval; Microsoft.Data.SqlClient alike",
    constants: defaults,
    backoff: sqlServerBackoff(),
  }),
  preset({
    name: "tedious",
    describe: "500 ms before each of 3 retries, and only for a login refused with a transient number",
    source: "tedious 19.2.2, transient login errors; measured",
    constants: tedious,
    backoff: take(constant(tedious.connectionRetryIntervalMs), tedious.maxRetriesOnTransientErrors),
  }),
];
