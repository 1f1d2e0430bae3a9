/** The least of PostgreSQL's client protocol: log in where trusted, over a Unix socket, and ask simple queries. */
import { dialogue, type MessageSocket, type SqlRow } from "./sql-wire.ts";

const PROTOCOL_3 = 196_608;

/** Runs statements one after the other as this user; resolves with the rows of the last one. */
export function postgresQuery(
  path: string,
  user: string,
  database: string,
  statements: readonly string[],
): Promise<SqlRow[]> {
  return postgresSession(path, user, database, async (ask) => {
    let rows: SqlRow[] = [];
    for (const sql of statements) rows = await ask(sql);
    return rows;
  });
}

/** One session as this user, with whatever has to happen between its statements. */
export function postgresSession<T>(
  path: string,
  user: string,
  database: string,
  talk: (ask: (sql: string) => Promise<SqlRow[]>) => Promise<T>,
  deadlineMs?: number,
): Promise<T> {
  const session = async (socket: MessageSocket): Promise<T> => {
    // The administrator writes also where all others may only read.
    const settings = ["user", user, "database", database, "options", "-c default_transaction_read_only=off"];
    const body = Buffer.from(`${settings.join("\0")}\0\0`);
    const head = Buffer.alloc(8);
    head.writeInt32BE(8 + body.length, 0);
    head.writeInt32BE(PROTOCOL_3, 4);
    socket.write(Buffer.concat([head, body]));
    await readUntilReady(socket);
    const value = await talk((sql) => {
      socket.write(message("Q", Buffer.from(`${sql}\0`)));
      return readUntilReady(socket);
    });
    socket.write(message("X", Buffer.alloc(0)));
    return value;
  };
  return dialogue(path, session, deadlineMs);
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

/** Reads up to ReadyForQuery. */
async function readUntilReady(socket: MessageSocket): Promise<SqlRow[]> {
  let names: string[] = [];
  const rows: SqlRow[] = [];
  let failure: Error | undefined;
  for (;;) {
    const bytes = await socket.read((all) => (all.length < 5 ? undefined : 1 + all.readInt32BE(1)));
    const body = bytes.subarray(5);
    switch (String.fromCharCode(bytes[0] ?? 0)) {
      case "R":
        if (body.readInt32BE(0) !== 0) throw new Error("the server asks its administrator for a password");
        break;
      case "T":
        names = columnNames(body);
        break;
      case "D":
        rows.push(rowOf(names, body));
        break;
      case "E":
        failure = errorOf(body);
        // What refuses a login ends the connection; nothing follows.
        if (/\0SFATAL\0|^SFATAL\0/.test(body.toString("latin1"))) throw failure;
        break;
      case "Z":
        if (failure !== undefined) throw failure;
        return rows;
    }
  }
}

function columnNames(body: Buffer): string[] {
  const names: string[] = [];
  let at = 2;
  for (let i = 0; i < body.readInt16BE(0); i++) {
    const end = body.indexOf(0, at);
    names.push(body.toString("utf8", at, end));
    at = end + 1 + 18; // table, column number, type, size, modifier, format
  }
  return names;
}

function rowOf(names: readonly string[], body: Buffer): SqlRow {
  const row: Record<string, string | null> = {};
  let at = 2;
  for (const name of names) {
    const length = body.readInt32BE(at);
    at += 4;
    row[name] = length < 0 ? null : body.toString("utf8", at, at + length);
    at += Math.max(0, length);
  }
  return row;
}

function errorOf(body: Buffer): Error {
  const fields = new Map<string, string>();
  for (const field of body.toString("utf8").split("\0")) fields.set(field.slice(0, 1), field.slice(1));
  return new Error(`${fields.get("S")} ${fields.get("C")}: ${fields.get("M")}`);
}
