import { type LookupAddress, type LookupOptions, lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { type Random, shuffled } from "../../time/index.ts";

/**
 * Finds the addresses of a name, all of them. Shuffled, as nats.go does, so that a fleet with one name spreads over
 * the servers behind it; in the resolver's order where the servers are not shuffled either.
 */
export function lookupAddresses(
  random: Random | undefined,
  resolve: LookupFunction = systemLookup as LookupFunction,
): LookupFunction {
  if (random === undefined) return resolve;
  return (host, options: LookupOptions, callback) =>
    resolve(host, options, (error, address, family) => {
      const several = error === null && Array.isArray(address);
      callback(error, several ? shuffled(random, address as LookupAddress[]) : address, family);
    });
}
