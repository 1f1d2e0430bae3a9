/** What the connections tell their link. */
import type { Endpoint } from "../endpoint/index.ts";
import type { LinkClass, RestoreReport } from "./driver.ts";

export interface ConnectionsOwner {
  dialed(epoch: number): void;
  restored(epoch: number, version: number, report: RestoreReport): void;
  failed(epoch: number, linkClass: LinkClass, cause: unknown): void;
  lost(epoch: number, linkClass: LinkClass, cause: unknown): void;
  closed(epoch: number): void;
  alive(epoch: number): void;
  told(report: Told): void;
}

export type Told =
  | { readonly kind: "discovered"; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: "asyncError"; readonly error: unknown }
  | { readonly kind: "lameDuck"; readonly endpoint: string; readonly detail: string | undefined }
  | { readonly kind: "unconfirmed"; readonly count: number; readonly bytes: number }
  | { readonly kind: "gap"; readonly subscription: string; readonly downMs: number };
