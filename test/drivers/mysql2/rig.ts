/** A real MariaDB, a fault proxy in front of it, and pools and connections of ours; all gone after the test. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { type HoldfastError, isHoldfastError } from "../../../src/call/index.ts";
import type { MysqlPoolResilience } from "../../../src/drivers/mysql2/promise.ts";
import * as ours from "../../../src/drivers/mysql2/promise.ts";
import {
  type FaultProxy,
  faultProxy,
  type RunningServer,
  type ServerName,
  type StartOptions,
} from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { withServer } from "../../support/servers.ts";

export type Pool = ReturnType<typeof ours.createPool>;
export type Connection = Awaited<ReturnType<typeof ours.createConnection>>;
export type PoolGiven = Exclude<Parameters<typeof ours.createPool>[0], string>;

export interface Rig {
  readonly server: RunningServer;
  readonly proxy: FaultProxy;
  /** Where clients dial: the proxy. */
  readonly where: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** A pool through the proxy; closed after the test. */
  pool(options?: PoolGiven): Pool;
  connection(options?: PoolGiven): Promise<Connection>;
  /** Counts rows past the driver. */
  count(table: string): Promise<number>;
  /** Runs at the end, before the proxy goes. */
  readonly cleanUp: (work: () => unknown) => void;
}

/** Quick reactions, so that the tests are: nothing here is a default. */
export const quick: MysqlPoolResilience = {
  backoff: { minMs: 20, baseMs: 20, capMs: 50 },
  minDialGapMs: 10,
};

/** `undefined` when the machine has no such server: the test is then marked as skipped and must return. */
export async function rigFor(
  t: TestContext,
  options: StartOptions = {},
  name: ServerName = "mariadb",
): Promise<Rig | undefined> {
  const cleanUp = checkLeaks(t);
  const server = await withServer(t, name, options);
  if (server === undefined) return undefined;
  const proxy = await faultProxy({ upstream: { host: server.host, port: server.port } });
  cleanUp(() => proxy.close());
  const where = { host: proxy.host, port: proxy.port, user: "holdfast", database: "test" };
  return {
    server,
    proxy,
    where,
    cleanUp,
    pool({ resilience, ...rest } = {}) {
      const pool = ours.createPool({ ...where, ...rest, resilience: { ...quick, ...resilience } });
      cleanUp(() => pool.resilience.close({ deadlineMs: 0 }));
      return pool;
    },
    async connection({ resilience, ...rest } = {}) {
      const connection = await ours.createConnection({
        ...where,
        ...rest,
        resilience: { ...quick, ...resilience },
      });
      cleanUp(() => connection.resilience.close());
      return connection;
    },
    async count(table) {
      const [row] = await server.sql.query(`SELECT COUNT(*) AS n FROM ${table}`);
      return Number(row?.n);
    },
  };
}

/** The failure of a call, which must be one of ours. */
export async function failure(call: Promise<unknown>): Promise<HoldfastError> {
  const error = await call.then(
    (value) => assert.fail(`it succeeded with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  assert.ok(isHoldfastError(error), String((error as Error)?.stack ?? error));
  return error;
}

/** Resolves at the next event of that name. */
export function next(
  { resilience }: Pick<Connection, "resilience">,
  name: Parameters<Connection["resilience"]["on"]>[0],
): Promise<void> {
  return new Promise((resolve) => {
    const off = resilience.on(name, () => {
      off();
      resolve();
    });
  });
}
