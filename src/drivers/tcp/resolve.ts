import { lookup as systemLookup } from "node:dns";
import { isIP } from "node:net";

/** One address of a host name. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds the addresses of a host name. Asked again at each attempt, so that a moved service is found. */
export type Lookup = (host: string) => Promise<readonly HostAddress[]>;

/**
 * Askers of one name share the lookup under way. A resolver that hangs holds one of Node's few threads for 10 s, and an
 * attempt that is given up can't call its lookup back: without this, attempts and clients would queue up behind their own.
 */
export function shareLookups(lookup: Lookup): Lookup {
  const underWay: Map<string, ReturnType<Lookup>> = new Map();
  return (host) => {
    const asked = underWay.get(host);
    if (asked !== undefined) return asked;
    const answer = lookup(host).finally(() => underWay.delete(host));
    underWay.set(host, answer);
    return answer;
  };
}

/** The system's own resolver: all addresses, in its order. */
export const lookupAll: Lookup = shareLookups(
  (host) =>
    new Promise((resolve, reject) => {
      systemLookup(host, { all: true, verbatim: true }, (error, addresses) => {
        if (error !== null) reject(error);
        else resolve(addresses);
      });
    }),
);

/**
 * The addresses to dial, in order: as the resolver gave them, but the families take turns, so that a network without
 * one of them costs one address and not all of its kind (RFC 8305, section 4). A literal address is not looked up.
 * Rejects with `signal.reason` at once when aborted; the lookup itself can't be called back, its answer is dropped.
 */
export async function resolveHost(
  host: string,
  lookup: Lookup,
  signal: AbortSignal,
): Promise<readonly HostAddress[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  const addresses = takeTurns(await orAborted(lookup(host), signal));
  if (addresses.length === 0) throw new Error(`${host} has no address`);
  return addresses;
}

function takeTurns(addresses: readonly HostAddress[]): HostAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const inTurn: HostAddress[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    for (const one of [first[i], second[i]]) if (one !== undefined) inTurn.push(one);
  }
  return inTurn;
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
