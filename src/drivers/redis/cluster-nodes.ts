/**
 * Makes a cluster of the library take its nodes' clients from us. Where it makes them is out of reach from outside: its
 * constructor asks `RedisClient.factory` once. So that one method is ours while the constructor runs, which is
 * synchronous, and the library's again afterwards.
 */
import { createClient as createLibraryClient } from "redis";
import type { AnyRedisClientOptions, LibraryClient } from "./library.ts";

/** Options of the whole cluster: its commands, scripts and the like. */
export type FactoryConfig = Pick<AnyRedisClientOptions, "modules" | "functions" | "scripts">;
export type ClientFactory = (options?: AnyRedisClientOptions) => LibraryClient;

interface ClientClass {
  factory(config?: FactoryConfig): ClientFactory;
}

/**
 * Runs `make` with `factory` in the place of the library's.
 * @throws when `make` did not ask for a factory exactly once: this is then not the package that was tested
 */
export function withClientsFrom<T>(factory: (config: FactoryConfig) => ClientFactory, make: () => T): T {
  const base = clientClass();
  const own = Object.getOwnPropertyDescriptor(base, "factory") as PropertyDescriptor;
  let asked = 0;
  Object.defineProperty(base, "factory", {
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
    Object.defineProperty(base, "factory", own);
  }
}

let known: ClientClass | undefined;

/** The library's own class, from which it derives one for each set of commands. */
function clientClass(): ClientClass {
  if (known !== undefined) return known;
  const sample = createLibraryClient();
  sample.destroy();
  let found = sample as object | null;
  while (found !== null && !Object.hasOwn((found as { constructor: object }).constructor, "factory")) {
    found = Object.getPrototypeOf(found) as object | null;
  }
  if (found === null) throw untested();
  known = found.constructor as unknown as ClientClass;
  return known;
}

function untested(): Error {
  return new Error("this redis package makes its clusters in another way than the one that was tested");
}
