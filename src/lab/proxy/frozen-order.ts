/** What the worker is told; `gate` is set to 1 to let it go. */
export interface FrozenOrder {
  readonly host: string;
  readonly port: number;
  readonly backlog: number;
  readonly gate: Int32Array;
}
