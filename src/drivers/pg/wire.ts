/** The library's client, with places to listen: before it gives up its queries, and at what the server says of the session. */
import { library, type Submittable } from "./library.ts";

export interface WireOwner {
  /** About to reject every query with this. */
  broken(error: unknown): void;
  /** The server is ready for the next query; `status` is that of the transaction: I, T or E. */
  ready(status: string | undefined): void;
  /** The server's "no" to the query under way, before the library knows. */
  refused(query: Submittable, error: unknown): void;
}

export class Wire extends library.Client {
  owner: WireOwner | undefined;

  override _errorAllQueries(error: unknown): void {
    this.owner?.broken(error);
    super._errorAllQueries(error);
  }

  override _handleReadyForQuery(message: { readonly status?: string } | undefined): void {
    this.owner?.ready(message?.status);
    super._handleReadyForQuery(message);
  }

  override _handleErrorMessage(message: unknown): void {
    const query = this._activeQuery;
    if (query) this.owner?.refused(query, message);
    super._handleErrorMessage(message);
  }
}
