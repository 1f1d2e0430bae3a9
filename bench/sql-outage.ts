/** A database that is killed and started again under eight workers: who loses what, and who says so. */
import { setTimeout as sleep } from "node:timers/promises";
import { isHoldfastError } from "../src/call/index.ts";
import { type RunningServer, startServer } from "../src/lab/index.ts";
import type { Bench } from "./bench.ts";
import { progress } from "./harness.ts";
import { figure, type Goal } from "./report.ts";
import { type SqlPeer, sqlPeers } from "./sql-peers.ts";

const WORKERS = 8;
const HEALTHY_MS = 1_000;
const DOWN_MS = 4_000;
const AFTER_MS = 3_000;
/** What a worker waits after an error before its next statement. */
const ERROR_PAUSE_MS = 50;
const SETTLE_MS = 60_000;

interface Counts {
  reads: number;
  readErrors: number;
  writes: number;
  writeErrors: number;
  /** A write failed, and nobody could say whether it was applied. */
  unknown: number;
  absent: number;
  twice: number;
  /** Said to be not applied, and yet there. */
  wronglyDenied: number;
  unsettled: number;
  firstMs: number;
}

type Told = "acknowledged" | "not-applied" | "unknown";

async function outage(peer: SqlPeer): Promise<Counts> {
  progress(`sql: ${peer.name}`);
  await using server = await startServer(peer.server);
  await server.sql.query(...peer.tables);
  const client = await peer.open(server);
  const counts: Counts = {
    ...{ reads: 0, readErrors: 0, writes: 0, writeErrors: 0, unknown: 0 },
    ...{ absent: 0, twice: 0, wronglyDenied: 0, unsettled: 0, firstMs: Number.NaN },
  };
  const told = new Map<number, Told>();
  let id = 0;
  let over = false;
  let backMs = Number.POSITIVE_INFINITY;
  let busy = 0;
  const succeeded = (): void => {
    if (performance.now() > backMs && Number.isNaN(counts.firstMs))
      counts.firstMs = performance.now() - backMs;
  };
  const read = async (): Promise<void> => {
    try {
      counts.reads++;
      await client.read();
      succeeded();
    } catch {
      counts.readErrors++;
      await sleep(ERROR_PAUSE_MS);
    }
  };
  const write = async (): Promise<void> => {
    const mine = ++id;
    try {
      counts.writes++;
      await client.write(mine);
      told.set(mine, "acknowledged");
      succeeded();
    } catch (error) {
      counts.writeErrors++;
      told.set(mine, isHoldfastError(error) && error.outcome === "not-applied" ? "not-applied" : "unknown");
      await sleep(ERROR_PAUSE_MS);
    }
  };
  const work = async (): Promise<void> => {
    busy++;
    for (let n = 0; !over; n++) await (n % 2 === 0 ? read() : write());
    busy--;
  };
  const workers = Array.from({ length: WORKERS }, work);
  await sleep(HEALTHY_MS);
  await server.kill9();
  await sleep(DOWN_MS);
  await server.start();
  backMs = performance.now();
  await sleep(AFTER_MS);
  over = true;
  const given = new AbortController();
  await Promise.race([Promise.all(workers), sleep(SETTLE_MS, undefined, given)]);
  given.abort();
  counts.unsettled = busy;
  await judge(server, counts, told);
  await Promise.race([client.close().catch(() => {}), sleep(2_000)]);
  return counts;
}

async function judge(server: RunningServer, counts: Counts, told: ReadonlyMap<number, Told>): Promise<void> {
  const rows = await server.sql.query("SELECT id, COUNT(*) AS n FROM outage.written GROUP BY id");
  const there = new Map(rows.map((row) => [Number(row.id), Number(row.n)]));
  for (const [mine, what] of told) {
    const times = there.get(mine) ?? 0;
    if (what === "acknowledged" && times === 0) counts.absent++;
    if (times > 1) counts.twice++;
    if (what === "not-applied" && times > 0) counts.wronglyDenied++;
    if (what === "unknown") counts.unknown++;
  }
}

const columns = [
  ...["", "statements", "reads failed", "writes failed", "of these unknown", "acknowledged but absent"],
  ...["applied twice", "told not applied, but applied", "never settled", "first success after, ms"],
];

function rowOf(name: string, counts: Counts): string[] {
  const {
    reads,
    writes,
    readErrors,
    writeErrors,
    unknown,
    absent,
    twice,
    wronglyDenied,
    unsettled,
    firstMs,
  } = counts;
  const all = [reads + writes, readErrors, writeErrors, unknown, absent, twice, wronglyDenied, unsettled];
  return [
    name,
    ...all.map((count) => count.toLocaleString("en-US")),
    Number.isNaN(firstMs) ? "none" : figure(firstMs),
  ];
}

/** A count is what it is: there is no interval around it. */
function none(goal: string, count: number): Goal {
  const measured = { estimate: count, low: count, high: count };
  return { goal, measured, unit: "", verdict: count === 0 ? "met" : "not met" };
}

export const sqlOutage: Bench = {
  title: "a database restarts under eight workers",
  async run() {
    const rows: string[][] = [];
    const goals: Goal[] = [];
    for (const peer of sqlPeers) {
      const counts = await outage(peer);
      rows.push(rowOf(peer.name, counts));
      if (!peer.own) continue;
      const { readErrors, absent, twice, wronglyDenied, unsettled, unknown } = counts;
      goals.push(none(`${peer.name}: reads that failed`, readErrors));
      goals.push(none(`${peer.name}: the ledger's four zeros`, absent + twice + wronglyDenied + unsettled));
      goals.push(
        none(
          `${peer.name}: unknown beyond the ${WORKERS} in flight at the cut`,
          Math.max(0, unknown - WORKERS),
        ),
      );
    }
    return {
      method: [
        `kill -9 after ${HEALTHY_MS / 1_000} s, started again ${DOWN_MS / 1_000} s later on the same port, watched for ${AFTER_MS / 1_000} s more; ${WORKERS} workers, each a read and a write in turn, ${ERROR_PAUSE_MS} ms after an error`,
        "pools of 10 connections, every library at its defaults; MariaDB with innodb_flush_log_at_trx_commit=1, PostgreSQL with fsync",
        "the first success is counted from when the server answers its administrator",
      ],
      tables: [{ columns, rows }],
      goals,
      notes: [
        "A bare library's error does not say whether a write was applied: each of its failed writes counts as unknown.",
      ],
    };
  },
};
