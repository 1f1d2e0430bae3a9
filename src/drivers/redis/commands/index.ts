/** What each Redis command does when it is sent twice, and how long it may take. */
export type { RedisArgument, RedisArguments } from "./arguments.ts";
export { type CommandDescription, describeCommand, entryOf, wireBytes } from "./describe.ts";
