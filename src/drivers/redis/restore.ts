/** What makes a new connection equal to the one before: session commands, subscriptions, MONITOR. */
import { ErrorReply } from "redis";
import { reasonOf } from "../../call/index.ts";
import type { RestoreReport, Session } from "../../link/index.ts";
import type { Clock } from "../../time/index.ts";
import type { RedisConnection } from "./connection.ts";
import { refusalOf, saysForbidden, saysLoading } from "./errors.ts";
import { type MonitorCallback, type PubSubKind, pubSubKinds } from "./library.ts";
import type { RestoringCommand } from "./session-items.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Between two questions whether the server has read its data: no hot loop, and no long wait after the last. */
const loadingPauseMs = 100;

export interface RestoreNeeds {
  readonly session: Session;
  readonly subscriptions: Subscriptions;
  readonly monitor: MonitorCallback | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Report {
  readonly restored: string[];
  readonly refused: { readonly item: string; readonly reason: string }[];
}

/** Everything goes out at once and in order: restoring costs one round trip, however much there is. */
export async function restoreSession(
  connection: RedisConnection,
  needs: RestoreNeeds,
): Promise<RestoreReport> {
  const report: Report = { restored: [], refused: [] };
  const work = [
    untilLoaded(connection, needs),
    ...needs.session.items.map((item) =>
      restoreItem(connection, item.key, item.value as RestoringCommand, report),
    ),
    ...pubSubKinds.map((kind) => resubscribe(connection, kind, needs.subscriptions, report)),
  ];
  const failed = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  if (needs.monitor !== undefined && !connection.monitoring) {
    connection.monitoring = true;
    await connection.client.MONITOR(needs.monitor);
    report.restored.push("monitor");
  }
  return report;
}

/** A server that reads its data from disk takes connections and refuses commands: wait here, not in every call. */
async function untilLoaded(connection: RedisConnection, needs: RestoreNeeds): Promise<void> {
  if (connection.restored?.has("ping")) return;
  for (;;) {
    try {
      await connection.client.sendCommand(["PING"]);
      connection.restored ??= new Map();
      connection.restored.set("ping", true);
      return;
    } catch (error) {
      if (!(error instanceof ErrorReply)) throw error;
      // An ACL that forbids PING says nothing against the connection.
      if (saysForbidden(error)) return;
      if (!saysLoading(error)) throw error;
    }
    await pause(needs.clock, loadingPauseMs, needs.signal);
  }
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

async function restoreItem(
  connection: RedisConnection,
  key: string,
  command: RestoringCommand,
  report: Report,
): Promise<void> {
  if (connection.restored?.get(key) === command) return;
  try {
    await connection.client.sendCommand(command.args);
    report.restored.push(key);
    connection.restored ??= new Map();
    connection.restored.set(key, command);
  } catch (error) {
    refuse(report, key, error);
  }
}

/** The server's plain no to one item is told; trouble of the server as a whole fails the attempt. */
function refuse(report: Report, item: string, error: unknown): void {
  if (!(error instanceof ErrorReply)) throw error;
  const refusal = refusalOf(error.message);
  if (refusal !== undefined && !saysForbidden(error) && refusal.attempt !== "fatal") throw error;
  report.refused.push({ item, reason: reasonOf(error) });
}

async function resubscribe(
  connection: RedisConnection,
  kind: PubSubKind,
  subscriptions: Subscriptions,
  report: Report,
): Promise<void> {
  const listeners = subscriptions.forConnection(kind);
  if (listeners.size === 0) return;
  try {
    await connection.client.extendPubSubListeners(kind, listeners);
    for (const name of listeners.keys()) report.restored.push(`${kind.toLowerCase()} ${name}`);
  } catch (error) {
    if (!(error instanceof ErrorReply)) throw error;
    await oneByOne(connection, kind, subscriptions, report);
  }
}

/** One forbidden channel refuses the whole SUBSCRIBE: find out which. */
async function oneByOne(
  connection: RedisConnection,
  kind: PubSubKind,
  subscriptions: Subscriptions,
  report: Report,
): Promise<void> {
  const known = connection.client.getPubSubListeners(kind);
  for (const [name, listeners] of subscriptions.forConnection(kind)) {
    known.delete(name);
    try {
      await connection.client.extendPubSubChannelListeners(kind, name, listeners);
      report.restored.push(`${kind.toLowerCase()} ${name}`);
    } catch (error) {
      known.delete(name);
      refuse(report, `${kind.toLowerCase()} ${name}`, error);
    }
  }
}
