/** Which commands change what the server holds for a connection, and how each is done again on the next one. */

import type { Session } from "../../link/index.ts";
import type { RedisArgument } from "./commands/index.ts";
import type { AnyRedisClientOptions } from "./library.ts";

/** The value of every item of a Redis session: the command that rebuilds it. */
export interface RestoringCommand {
  readonly args: readonly RedisArgument[];
}

const order = { auth: 10, select: 20, client: 30, readonly: 40 } as const;

function word(argument: RedisArgument | undefined): string {
  return argument === undefined ? "" : String(argument).toUpperCase();
}

/** Notes a command of kind `session` that the server has accepted. */
export function noteSession(session: Session, args: readonly RedisArgument[]): void {
  const set = (key: string, place: number): void => session.set(key, { args: [...args] }, place);
  switch (word(args[0])) {
    case "AUTH":
      return set("auth", order.auth);
    case "SELECT":
      return set("select", order.select);
    case "READONLY":
    case "READWRITE":
      return set("readonly", order.readonly);
    case "CLIENT":
      return noteClient(session, args, set);
  }
}

function noteClient(
  session: Session,
  args: readonly RedisArgument[],
  set: (key: string, place: number) => void,
): void {
  const sub = word(args[1]);
  switch (sub) {
    case "SETNAME":
      return set("client setname", order.client);
    case "SETINFO":
      return set(`client setinfo ${word(args[2]).toLowerCase()}`, order.client);
    case "TRACKING":
    case "NO-EVICT":
    case "NO-TOUCH": {
      const key = `client ${sub.toLowerCase()}`;
      if (word(args[2]) === "OFF") session.delete(key);
      else set(key, order.client);
    }
  }
}

/** Forgets everything: RESET did. */
export function forgetSession(session: Session): void {
  for (const { key } of session.items) session.delete(key);
}

/** A user who sent AUTH has told newer credentials than the options: the handshake goes by them. */
export function credentialsIn(session: Session): Pick<AnyRedisClientOptions, "credentialsProvider"> {
  const auth = session.get("auth") as RestoringCommand | undefined;
  if (auth === undefined) return {};
  const [, ...words] = auth.args.map(String);
  const password = words.pop() as string;
  const [username] = words;
  const credentials = async (): Promise<BasicCredentials> => ({
    password,
    ...(username !== undefined && { username }),
  });
  return { credentialsProvider: { type: "async-credentials-provider", credentials } };
}

type BasicCredentials = { readonly password: string; readonly username?: string };
