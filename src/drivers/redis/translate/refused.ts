import { refusedOptionError } from "../../../options/index.ts";

/** Why a peer's option that we know can't be translated. Refused, because silently ignoring it would be a lie. */
export type Refusals = Readonly<Record<string, string>>;

export const clusterReason = "it belongs to a cluster client, and this translator describes a single server";

/** Throws when `key` is one of the refused. */
export function refuse(key: string, refusals: Refusals): void {
  if (Object.hasOwn(refusals, key)) throw refusedOptionError(key, refusals[key]!);
}
