/** What the server says of a session with every reply: status flags, and the variables and database it tracks. */
import type { Packet } from "./library.ts";

/** As the library reads them from an OK packet. */
export interface StateChanges {
  readonly systemVariables: Readonly<Record<string, string>>;
  readonly schema: string | null;
}

interface Header {
  readonly serverStatus: number;
  readonly affectedRows: number;
  readonly stateChanges?: StateChanges;
}

const inTransactionFlag = 1;

export class ServerWord {
  /** `undefined` until the server has said so. */
  inTransaction: boolean | undefined;
  /** The current database, once a statement has changed it. */
  schema: string | undefined;
  /** The server tracked a change since this was last set to false. */
  changed = false;
  /** Hears of tracked changes as they come. */
  heard: ((changes: StateChanges) => void) | undefined;

  /** The end of columns or rows: marker, warnings, status flags. */
  eof({ buffer, offset }: Packet): void {
    this.#status(buffer.readUInt16LE(offset + 3));
  }

  /** What a callback was given: a header, rows, or a list of both. */
  reply(rows: unknown): void {
    if (isHeader(rows)) {
      this.#changes(rows);
      this.#status(rows.serverStatus);
    } else if (Array.isArray(rows) && (Array.isArray(rows[0]) || isHeader(rows[0]))) {
      for (const result of rows) if (isHeader(result)) this.#changes(result);
      const last: unknown = rows.at(-1);
      if (isHeader(last)) this.#status(last.serverStatus);
    }
  }

  #status(flags: number): void {
    this.inTransaction = (flags & inTransactionFlag) !== 0;
  }

  #changes({ stateChanges }: Header): void {
    if (stateChanges === undefined) return;
    this.changed = true;
    if (typeof stateChanges.schema === "string") this.schema = stateChanges.schema;
    this.heard?.(stateChanges);
  }
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { serverStatus, affectedRows } = value as Partial<Header>;
  return typeof serverStatus === "number" && affectedRows !== undefined;
}
