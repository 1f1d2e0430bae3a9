/** One command as the gate's call and as an entry of the library's queue at once: nothing else is made for it. */
import type { CallDescription, CallKind, Effect } from "../../call/index.ts";
import { Entry, type Judge } from "../../link/index.ts";
import { deadlineWith } from "./calls.ts";
import { entryOf, type RedisArguments, wireBytes } from "./commands/index.ts";
import type { RedisConnection } from "./connection.ts";
import type { CommandOptions, QueueItem, RedisArgument } from "./library.ts";

export class RedisCommand extends Entry<RedisConnection> implements CallDescription, QueueItem {
  readonly name: string;
  readonly effect: Effect;
  readonly kind: CallKind;
  readonly bytes: number;
  readonly deadlineMs: number | undefined;
  /** A command with an abort signal goes another way. */
  declare readonly signal: undefined;
  /** What is sent; the library's queue drops its own reference once it has encoded it. */
  readonly words: RedisArguments;
  args: readonly RedisArgument[] | undefined;
  chainId: undefined = undefined;
  readonly typeMapping: CommandOptions["typeMapping"];
  readonly #options: CommandOptions | undefined;
  #judge: Judge<RedisConnection> | undefined = undefined;
  #firstEpoch = -1;

  /**
   * @param options of the library; nothing but a type mapping
   * @throws TypeError for some arguments that are neither text nor bytes; the others make `bytes` NaN
   */
  constructor(words: RedisArguments, timeoutMs: number | undefined, options: CommandOptions | undefined) {
    super();
    const entry = entryOf(words);
    const refined = entry.refine?.(words) ?? entry;
    this.name = entry.name;
    this.effect = refined.effect;
    this.kind = refined.kind;
    this.bytes = wireBytes(words);
    this.deadlineMs =
      entry.blockingMs === undefined ? timeoutMs : deadlineWith(entry.blockingMs(words), timeoutMs);
    this.words = words;
    this.args = words;
    this.typeMapping = options?.typeMapping;
    this.#options = options;
  }

  get call(): CallDescription {
    return this;
  }

  transmit(connection: RedisConnection, judge: Judge<RedisConnection>): void {
    const { epoch } = this;
    // An older connection's queue may still hold this very object: a further send gets another.
    const first = this.#judge === undefined;
    const item: QueueItem = first ? this : new Again(this, judge, epoch);
    if (first) {
      this.#judge = judge;
      this.#firstEpoch = epoch;
    }
    if (connection.post(item)) return;
    connection
      .send(this.words, this.bytes, this.#options)
      .then(item.resolve.bind(item), item.reject.bind(item));
  }

  /** Called by the library's queue with the reply to the first send. */
  resolve(reply: unknown): void {
    if (this.epoch === this.#firstEpoch) this.#judge?.done(this, reply);
  }

  /**
   * Called in the midst of the library's parsing or tearing down. What follows from an error may end the connection:
   * it waits until the replies that came in the same chunk have been told too.
   */
  reject(error: unknown): void {
    queueMicrotask(() => this.#judge?.failed(this, this.#firstEpoch, error));
  }
}

/** A command that is sent again. */
class Again implements QueueItem {
  args: readonly RedisArgument[] | undefined;
  chainId: undefined = undefined;
  readonly typeMapping: CommandOptions["typeMapping"];
  readonly #command: RedisCommand;
  readonly #judge: Judge<RedisConnection>;
  readonly #epoch: number;

  constructor(command: RedisCommand, judge: Judge<RedisConnection>, epoch: number) {
    this.args = command.words;
    this.typeMapping = command.typeMapping;
    this.#command = command;
    this.#judge = judge;
    this.#epoch = epoch;
  }

  get settled(): boolean {
    return this.#command.settled;
  }

  get bytes(): number {
    return this.#command.bytes;
  }

  resolve(reply: unknown): void {
    if (this.#command.epoch === this.#epoch) this.#judge.done(this.#command, reply);
  }

  reject(error: unknown): void {
    queueMicrotask(() => this.#judge.failed(this.#command, this.#epoch, error));
  }
}
