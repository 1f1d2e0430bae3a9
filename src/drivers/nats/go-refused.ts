/** nats.go's options that have no counterpart here, and combinations that nats.go refuses: each with the way to go. */
import { optionError, refusedOptionError } from "../../options/index.ts";
import type { GoCredentials } from "./credentials.ts";

const refused: Readonly<Record<string, string>> = {
  TLSCertCB: "TLSConfig's certFile and keyFile are read anew at each attempt",
  RootCAsCB: "TLSConfig's caFile is read anew at each attempt",
  InProcessServer: "a nats-server can't run inside a Node.js process; give its Url",
  SubChanLen:
    'each subscription says how many messages may wait: subscribe(…, { slow }), told as "slow consumer"',
  Dialer:
    "connections are made by the engine: resilience.lookup finds addresses, resilience.liveness.tcpKeepAliveMs is Dialer's KeepAlive",
  CustomDialer: "connections are made by the engine; a WebSocket of your own comes from connect's wsFactory",
  UseOldRequestStyle: "each request says so: request(…, { noMux: true, reply })",
  Compression:
    "connect's wsFactory makes each WebSocket; the package ws compresses unless perMessageDeflate is false",
  ProxyPath:
    "write the path into each server (ws://host/path); for members that a server names, connect's wsFactory may add it",
  SkipHostLookup: "names are looked up at each attempt; resilience.lookup says how",
  WebSocketConnectionHeaders: "connect's wsFactory makes each WebSocket, with the headers it wants",
  WebSocketConnectionHeadersHandler:
    "connect's wsFactory is asked at each attempt, and may make headers then",
  WriteBufferSize:
    "nats.js sends together what is published in one turn; resilience.writeBufferBytes bounds what waits",
};

/** What nats.js always does, so that only the other choice is refused. */
const always: Readonly<Record<string, readonly [boolean, string]>> = {
  PermissionErrOnSubscribe: [
    true,
    "nats.js always ends a subscription that is not permitted, with the error",
  ],
  SkipSubjectValidation: [false, "nats.js always refuses an empty subject and one with a space"],
};

/** Pairs of logins of which nats.go takes only one. */
const eitherOr: readonly (readonly [string, string])[] = [
  ["UserJWT", "Nkey"],
  ["Token", "TokenHandler"],
  ["User", "UserInfo"],
  ["Password", "UserInfo"],
];

/** @throws `HF_OPTION` naming the option, why it is refused, and what to use */
export function refuseGoOptions(given: object): void {
  const options = given as Readonly<Record<string, unknown>> & GoCredentials;
  const has = (name: string): boolean => options[name] !== undefined;
  for (const [name, why] of Object.entries(refused)) if (has(name)) throw refusedOptionError(name, why);
  for (const [name, [only, why]] of Object.entries(always))
    if (has(name) && options[name] !== only) throw optionError(name, options[name], `${only}: ${why}`);
  for (const [one, other] of eitherOr)
    if (has(one) && has(other))
      throw refusedOptionError(one, `"${other}" is given too; one of them, as in nats.go`);
  for (const name of ["UserJWT", "Nkey"])
    if (has(name) && !has("SignatureCB"))
      throw refusedOptionError(name, "SignatureCB is missing, which signs the server's nonce");
}
