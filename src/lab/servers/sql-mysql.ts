/** The least of MySQL's client protocol: log in without a password over a Unix socket, ask in text, read text. */
import { dialogue, type MessageSocket, type SqlRow } from "./sql-wire.ts";

const PROTOCOL_41 = 0x200;
const SECURE_CONNECTION = 0x8000;
const PLUGIN_AUTH = 0x80000;
const MAX_PACKET = 0xffffff;
const UTF8MB4 = 45;
const PASSWORD_PLUGIN = "mysql_native_password";

/** Runs statements one after the other as this user; resolves with the rows of the last one. */
export function mysqlQuery(path: string, user: string, statements: readonly string[]): Promise<SqlRow[]> {
  return dialogue(path, async (socket) => {
    refuseError(await readPacket(socket)); // the greeting
    writePacket(socket, 1, login(user));
    let answer = await readPacket(socket);
    if (answer.payload[0] === 0xfe) {
      writePacket(socket, answer.sequence + 1, Buffer.alloc(0)); // another plugin, and still no password
      answer = await readPacket(socket);
    }
    refuseError(answer);
    let rows: SqlRow[] = [];
    for (const sql of statements) {
      writePacket(socket, 0, Buffer.concat([Buffer.from([0x03]), Buffer.from(sql)]));
      rows = await readAnswer(socket);
    }
    return rows;
  });
}

function login(user: string): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH, 0);
  head.writeUInt32LE(MAX_PACKET, 4);
  head[8] = UTF8MB4;
  return Buffer.concat([head, Buffer.from(`${user}\0\0${PASSWORD_PLUGIN}\0`)]);
}

interface Packet {
  readonly sequence: number;
  readonly payload: Buffer;
}

async function readPacket(socket: MessageSocket): Promise<Packet> {
  const bytes = await socket.read((all) => (all.length < 4 ? undefined : 4 + all.readUIntLE(0, 3)));
  return { sequence: bytes[3] ?? 0, payload: bytes.subarray(4) };
}

function writePacket(socket: MessageSocket, sequence: number, payload: Buffer): void {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence;
  socket.write(Buffer.concat([head, payload]));
}

function refuseError({ payload }: Packet): void {
  if (payload[0] !== 0xff) return;
  const state = payload[3] === 0x23; // "#" and five characters of SQLSTATE
  throw new Error(`error ${payload.readUInt16LE(1)}: ${payload.toString("utf8", state ? 9 : 3)}`);
}

async function readAnswer(socket: MessageSocket): Promise<SqlRow[]> {
  const first = await readPacket(socket);
  refuseError(first);
  if (first.payload[0] === 0x00) return [];
  const columns = new Reader(first.payload).length() ?? 0;
  const names: string[] = [];
  for (let i = 0; i < columns; i++) {
    const reader = new Reader((await readPacket(socket)).payload);
    for (let skipped = 0; skipped < 4; skipped++) reader.text(); // catalog, schema, table, original table
    names.push(reader.text() ?? "");
  }
  await readPacket(socket); // end of the columns
  const rows: SqlRow[] = [];
  for (;;) {
    const packet = await readPacket(socket);
    refuseError(packet);
    if (packet.payload[0] === 0xfe && packet.payload.length < 9) return rows;
    const reader = new Reader(packet.payload);
    rows.push(Object.fromEntries(names.map((name) => [name, reader.text()])));
  }
}

/** Reads MySQL's length-encoded numbers and strings. */
class Reader {
  readonly bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  length(): number | null {
    const first = this.bytes[this.#at++] ?? 0;
    if (first < 0xfb) return first;
    if (first === 0xfb) return null;
    const size = first === 0xfc ? 2 : first === 0xfd ? 3 : 6; // of the eight bytes of 0xfe, six are enough here
    const value = this.bytes.readUIntLE(this.#at, size);
    this.#at += first === 0xfe ? 8 : size;
    return value;
  }

  text(): string | null {
    const length = this.length();
    if (length === null) return null;
    this.#at += length;
    return this.bytes.toString("utf8", this.#at - length, this.#at);
  }
}
