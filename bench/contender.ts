/** One client in the two shapes of work. */
export interface Contender {
  readonly name: string;
  one(): Promise<unknown>;
  many(count: number): Promise<unknown>;
}

/** Contenders with open connections. The last one is ours; the first is the bare client. */
export interface Opened {
  readonly contenders: readonly Contender[];
  end(): Promise<void>;
}
