/** What the SQL drivers share. */
export type { Dialect, Leftover, ReadSettings, SessionItem, Statement } from "./statement.ts";
export { isCured, readStatement } from "./statement.ts";
