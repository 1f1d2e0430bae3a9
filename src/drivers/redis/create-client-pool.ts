/**
 * `createClientPool`: the library's own pool object, whose clients are ours and are lent by our pool room. Typed commands,
 * scripts, MULTI and views are the library's own code; they all end in `execute`.
 */
import {
  createClientPool as createLibraryPool,
  type RedisClientOptions,
  type RedisFunctions,
  type RedisModules,
  type RedisScripts,
  type RespVersions,
  type TypeMapping,
} from "redis";
import type { Nothing, ResilientClientPool } from "./client-type.ts";
import { checkGiven } from "./given-options.ts";
import { type GivenOptions, makeClient } from "./make-client.ts";
import { type ClientPoolOptions, readPoolOptions } from "./pool-options.ts";
import { Runner, type Task } from "./pool-runner.ts";
import { type RedisClientResilience, readSettings } from "./settings.ts";

/**
 * Creates a pool of clients: the options, types and methods of `createClientPool` from "redis", and `resilience`.
 *
 * `connect()` dials `minimum` connections and fails with the first dial that does. `execute` lends one to its function
 * and takes it back in every case; a connection that is lost, or whose session was changed, is not lent again. A task
 * waits `acquireTimeout` for a connection (`HF_DEADLINE`, step `acquire`, `not-applied`).
 *
 * @throws `HF_OPTION` for a wrong option
 */
export function createClientPool<
  M extends RedisModules = Nothing,
  F extends RedisFunctions = Nothing,
  S extends RedisScripts = Nothing,
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = Nothing,
>(
  clientOptions?: Omit<RedisClientOptions<M, F, S, RESP, TYPE_MAPPING>, "clientSideCache"> & {
    resilience?: RedisClientResilience;
  },
  options?: ClientPoolOptions,
): ResilientClientPool<M, F, S, RESP, TYPE_MAPPING> {
  return create(clientOptions as GivenOptions | undefined, options) as never;
}

/** A pool's methods see it as this; `_self` is the instance under views such as `withTypeMapping()`. */
interface PoolShell {
  readonly _self: { readonly [runner]: Runner };
}

const runner: unique symbol = Symbol("holdfast.redis.pool");

function create(given: GivenOptions = {}, options: ClientPoolOptions | undefined): unknown {
  const { resilience, ...own } = given;
  checkGiven(own);
  const settings = readPoolOptions(options);
  const { resolved } = readSettings({}, resilience);
  const pool = createLibraryPool(own as never) as unknown as Shown;
  // The pool's own commands carry the prefix already.
  const { keyPrefix: _prefix, ...forMembers } = own;
  const memberOptions = { ...forMembers, resilience: { ...resilience, lazy: false, retryInitial: false } };
  const run = new Runner(
    settings,
    () => makeClient(memberOptions as GivenOptions, createClientPool),
    {
      lazy: resolved.policy.lazy,
      retryInitial: resolved.policy.retryInitial,
      drainTimeoutMs: resolved.drainTimeoutMs,
      world: resolved.world,
    },
    (error) => pool.listenerCount("error") > 0 && pool.emit("error", error),
  );
  const inner = pool._self;
  Object.setPrototypeOf(inner, Object.create(Object.getPrototypeOf(inner) as object, methods()));
  Object.defineProperty(inner, runner, { value: run });
  // A wrong option is told now, not at the first dial.
  makeClient(memberOptions as GivenOptions, createClientPool).destroy();
  return pool;
}

interface Shown {
  readonly _self: object;
  listenerCount(event: string): number;
  emit(event: string, ...args: unknown[]): boolean;
}

function methods(): PropertyDescriptorMap & ThisType<PoolShell> {
  const method = (value: (this: PoolShell, ...args: never[]) => unknown): PropertyDescriptor => ({
    value,
    writable: true,
    configurable: true,
  });
  const getter = (get: (this: PoolShell) => unknown): PropertyDescriptor => ({ get, configurable: true });
  const of = (shell: PoolShell): Runner => shell._self[runner];
  return {
    execute: method(function (task: Task) {
      return of(this).execute(task);
    }),
    connect: method(async function () {
      await of(this).connect();
      return this;
    }),
    close: method(function () {
      return of(this).close();
    }),
    destroy: method(function () {
      void of(this).destroy();
    }),
    [Symbol.asyncDispose]: method(function () {
      return of(this).close();
    }),
    isOpen: getter(function () {
      return of(this).isOpen;
    }),
    isClosing: getter(function () {
      return of(this).isClosing;
    }),
    idleClients: getter(function () {
      return of(this).elastic.stats().idle;
    }),
    clientsInUse: getter(function () {
      const { inUse, busy, dialing } = of(this).elastic.stats();
      return inUse + busy + dialing;
    }),
    totalClients: getter(function () {
      const { open, dialing } = of(this).elastic.stats();
      return open + dialing;
    }),
    tasksQueueLength: getter(function () {
      return of(this).elastic.stats().waiting;
    }),
    resilience: getter(function () {
      return of(this).resilience;
    }),
  };
}
