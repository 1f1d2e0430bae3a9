/**
 * What this driver uses of mysql2, the inside included. The library types its public face only; what is named here
 * beyond it is checked before anything is dialled (`internals.ts`).
 */
import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import mysql from "mysql2";

export type Callback = (error: unknown, rows?: unknown, fields?: unknown) => void;

/** One of the library's commands: Query, Prepare, Execute, Ping … */
export interface Command extends EventEmitter {
  onResult?: Callback | undefined;
  /** The step of the protocol that comes next; `null` until the command has begun. */
  next: unknown;
  sql?: string;
  /** Prepare's name for `sql`. */
  query?: string;
  values?: unknown;
  timeout?: number | undefined;
  statement?: Statement;
  readonly options?: CommandOptions;
  readonly _queryOptions?: CommandOptions;
  readonly _executeOptions?: CommandOptions;
}

export interface CommandOptions {
  readonly sql?: string;
  readonly values?: unknown;
  readonly timeout?: number;
  readonly statement?: Statement;
  readonly resilience?: unknown;
}

/** A prepared statement, as `prepare` hands it out. */
export interface Statement {
  readonly query: string;
  readonly id: number;
  _connection: { addCommand(command: Command): Command };
  close(): unknown;
  execute(parameters: unknown, callback?: Callback): Command;
}

export interface LibraryConfig {
  host: string;
  port: number;
  socketPath?: string | undefined;
  user?: string | undefined;
  password?: string | undefined;
  database?: string | undefined;
  charsetNumber: number;
  connectTimeout: number;
  enableKeepAlive: boolean;
  keepAliveInitialDelay?: number | undefined;
  localAddress?: string | undefined;
  gracefulEnd: boolean;
  stream?: unknown;
  pool?: unknown;
  ssl?: object | false;
}

export interface LibraryConnection extends EventEmitter {
  readonly config: LibraryConfig;
  stream: Duplex & { readonly errored?: unknown };
  threadId: number | null;
  connectionId?: number;
  authorized: boolean;
  serverCapabilityFlags: number;
  serverEncoding: string;
  clientEncoding: string;
  sequenceId: number;
  _isMariaDB: boolean;
  _closing?: boolean;
  _fatalError: unknown;
  _protocolError: unknown;
  _handshakePacket: { readonly serverVersion?: string } | null;
  _command: Command | null;
  readonly _commands: { shift(): Command | undefined; readonly length: number };
  addCommand(command: Command): Command;
  handlePacket(packet?: Packet): void;
  write(buffer: Buffer): void;
  _notifyError(error: unknown): void;
  _addCommandClosedState(command: Command): void;
  close(): void;
  destroy(): void;
  connect(callback?: Callback): void;
  end(callback?: Callback): unknown;
  query(sql: unknown, values?: unknown, callback?: Callback): Command;
  execute(sql: unknown, values?: unknown, callback?: Callback): Command;
  prepare(options: unknown, callback?: Callback): Command;
  unprepare(sql: unknown): unknown;
  ping(callback?: Callback): Command;
  reset(callback?: Callback): Command;
  changeUser(options: unknown, callback?: Callback): Command;
  pause(): void;
  resume(): void;
  readonly state: string;
  promise(promiseImpl?: unknown): object;
}

/** What arrives; the library reuses one object for all packets. */
export interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
}

export interface LibraryPoolConfig {
  readonly connectionConfig: LibraryConfig;
  readonly waitForConnections: boolean;
  readonly connectionLimit: number;
  readonly maxIdle: number;
  readonly idleTimeout: number;
  readonly queueLimit: number;
  readonly resetOnRelease: boolean;
}

export interface LibraryPool extends EventEmitter {
  readonly config: LibraryPoolConfig;
  _closed: boolean;
  promise(promiseImpl?: unknown): object;
}

type ConnectionClass = new (options: { config: LibraryConfig }) => LibraryConnection;
type PoolConnectionClass = new (pool: unknown, options: { config: LibraryConfig }) => LibraryConnection;
type PoolClass = new (options: { config: LibraryPoolConfig }) => LibraryPool;

interface Library {
  readonly Connection: ConnectionClass;
  readonly PoolConnection: PoolConnectionClass;
  readonly Pool: PoolClass;
  readonly ConnectionConfig: new (options: object | string) => LibraryConfig;
}

export const library: Library = mysql as unknown as Library;

/** A config of its own for each connection: `changeUser` and `SET NAMES` write into it. */
export function copyConfig(config: LibraryConfig, changes: Partial<LibraryConfig>): LibraryConfig {
  const copy = Object.create(
    Object.getPrototypeOf(config) as object,
    Object.getOwnPropertyDescriptors(config),
  ) as LibraryConfig;
  return Object.assign(copy, changes);
}
