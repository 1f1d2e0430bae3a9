/**
 * Makes a cluster of the library take its nodes' clients from us. Where it makes them is out of reach from outside: its
 * constructor asks `RedisClient.factory` once. So that one method is ours while the constructor runs, which is
 * synchronous, and the library's again afterwards.
 */
import { RedisClient } from "redis";
import type { AnyRedisClientOptions, LibraryClient } from "./library.ts";

/** Options of the whole cluster: its commands, scripts and the like. */
export type FactoryConfig = Pick<AnyRedisClientOptions, "modules" | "functions" | "scripts">;
export type ClientFactory = (options?: AnyRedisClientOptions) => LibraryClient;

/**
 * Runs `make` with `factory` in the place of the library's.
 * @throws when `make` did not ask for a factory exactly once: this is then not the package that was tested
 */
export function withClientsFrom<T>(factory: (config: FactoryConfig) => ClientFactory, make: () => T): T {
  const own = Object.getOwnPropertyDescriptor(RedisClient, "factory");
  if (own === undefined) throw untested();
  let asked = 0;
  Object.defineProperty(RedisClient, "factory", {
    ...own,
    value(config: FactoryConfig = {}) {
      asked++;
      return factory(config);
    },
  });
  try {
    const made = make();
    if (asked !== 1) throw untested();
    return made;
  } finally {
    Object.defineProperty(RedisClient, "factory", own);
  }
}

function untested(): Error {
  return new Error("this redis package makes its clusters in another way than the one that was tested");
}
