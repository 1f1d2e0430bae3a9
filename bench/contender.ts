/** One client in the two shapes of work. */
export interface Contender {
  readonly name: string;
  one(): Promise<unknown>;
  many(count: number): Promise<unknown>;
}
