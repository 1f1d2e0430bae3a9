/** Teaches the engine node-redis: a new library client for each physical connection. */
import { ClientClosedError, ClientOfflineError, ErrorReply, WatchError } from "redis";
import type { Backoff, Schedule } from "../../backoff/index.ts";
import type { CallDescription } from "../../call/index.ts";
import type { CallVerdict, Driver } from "../../link/index.ts";
import type { Random } from "../../time/index.ts";
import { type ConnectionOwner, RedisConnection } from "./connection.ts";
import { classifyRedisCall, classifyRedisLink } from "./errors.ts";
import type { AnyRedisClientOptions, LibraryClass } from "./library.ts";
import { type RestoreNeeds, restoreSession } from "./restore.ts";

export interface DriverNeeds extends ConnectionOwner {
  readonly Client: LibraryClass;
  /** Why what was not written can't be taken back; `undefined` when it can. */
  readonly distrust: string | undefined;
  /** Whether we may write to the library's socket ourselves. */
  readonly writes: boolean;
  /** The options of the attempt that begins: credentials are read anew. */
  options(dial: Parameters<Driver<RedisConnection>["open"]>[0]): AnyRedisClientOptions;
  needs(connection: RedisConnection): Pick<RestoreNeeds, "subscriptions" | "monitor" | "clock">;
  probed(reply: unknown): void;
  /** Waits between the sends of a call that the server refuses for now; `undefined`: what the error table says. */
  readonly retryBackoff: Backoff | undefined;
  /** Whether what was lost with its connection is sent again where that is safe. */
  readonly retryLosses: boolean;
  readonly random: Random;
}

/** The size of PING on the wire. */
const pingBytes = 14;

export function redisDriver(owner: DriverNeeds): Driver<RedisConnection> {
  const paced = owner.retryBackoff === undefined ? unpaced : pace(owner.retryBackoff, owner.random);
  return {
    name: "redis",

    async open(dial) {
      if (owner.distrust !== undefined) {
        const told = `this redis package is not the one that was tested: ${owner.distrust}`;
        dial.sink.asyncError(new Error(`${told}; calls lost with a connection count as maybe-applied`));
      }
      return RedisConnection.open(
        owner.Client,
        owner.options(dial),
        dial,
        { evidence: owner.distrust === undefined, writing: owner.distrust === undefined && owner.writes },
        owner,
      );
    },

    restore: (connection, session, signal) =>
      restoreSession(connection, { ...owner.needs(connection), session, signal }),

    async probe(connection) {
      // A monitoring connection answers nothing but MONITOR; its stream is the sign of life.
      if (connection.monitoring) return;
      owner.probed(await connection.send(["PING"], pingBytes, undefined));
    },

    // Redis knows no goodbye. Who wants replies drains first; what is still in flight here has been settled.
    async close(connection) {
      connection.destroy();
      await connection.gone();
    },

    takeBack: (connection) => connection.takeBack(),
    bufferedBytes: (connection) => connection.bufferedBytes,
    classifyLink: classifyRedisLink,

    classifyCall(error, evidence, call) {
      // Whatever became of the connection since: this is the server's own word on this call.
      if (error instanceof ErrorReply) {
        return paced(call, classifyRedisCall(error, { unsent: false, lost: false }, call));
      }
      // The library refused it before it entered any queue.
      if (error instanceof ClientClosedError || error instanceof ClientOfflineError) {
        return { outcome: "not-applied" };
      }
      if (error instanceof WatchError) return "answered";
      const verdict = classifyRedisCall(error, evidence, call);
      return verdict === "answered" || owner.retryLosses || !evidence.lost
        ? verdict
        : { ...verdict, final: true };
    },
  };
}

type Pace = (call: CallDescription, verdict: CallVerdict) => CallVerdict;

const unpaced: Pace = (_call, verdict) => verdict;

/** The peer's waits instead of the error table's, for refusals that are worth a wait. */
function pace(backoff: Backoff, random: Random): Pace {
  const rest: WeakMap<CallDescription, { schedule: Schedule; attempt: number }> = new WeakMap();
  return (call, verdict) => {
    if (verdict === "answered" || !verdict.retryAfterMs) return verdict;
    const { schedule, attempt } = rest.get(call) ?? { schedule: backoff.start(), attempt: 0 };
    const step = schedule.next(random, { attempt, elapsedMs: 0 });
    if ("exhausted" in step) return "answered";
    rest.set(call, { schedule: step.schedule, attempt: attempt + 1 });
    return { ...verdict, retryAfterMs: step.delayMs };
  };
}
