/** Logins against a real nats-server that trusts an operator of ours, and one with an NKEY in its settings. */
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { constant } from "../../../src/backoff/index.ts";
import {
  connect,
  credsAuthenticator,
  credsFile,
  fromGoOptions,
  jwtAuthenticator,
  type NatsConnectOptions,
  nkeyAuthenticator,
  nkeySeedFile,
} from "../../../src/drivers/nats/index.ts";
import { folder, operator } from "./operator.ts";
import { connected, next, quick, withNats } from "./support.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Refused credentials have a slow schedule of their own; not here. */
const soon = { auth: { backoff: constant(10) }, stableAfterMs: 0 };

test("JWT and credentials files, in every spelling of both peers, before and after kill -9", async (t) => {
  const trusted = operator();
  const server = await withNats(t, { config: trusted.config });
  if (server === undefined) return;
  const user = trusted.user();
  const write = await folder(t);
  const creds = await write("user.creds", user.creds);
  const [jwtFile, seedFile] = [await write("user.jwt", user.jwt), await write("user.nk", `\n${user.seed}\n`)];
  const spellings: Readonly<Record<string, NatsConnectOptions>> = {
    UserCredentials: fromGoOptions({ UserCredentials: creds }),
    "UserCredentials, two files": fromGoOptions({ UserCredentials: [jwtFile, seedFile] }),
    "UserCredentials, JWT from the chained file": fromGoOptions({ UserCredentials: [creds, seedFile] }),
    UserCredentialBytes: fromGoOptions({ UserCredentialBytes: user.creds }),
    UserJWTAndSeed: fromGoOptions({ UserJWTAndSeed: { jwt: user.jwt, seed: user.seed } }),
    "UserJWT and SignatureCB": fromGoOptions({
      UserJWT: () => user.jwt,
      SignatureCB: (nonce) => user.sign(nonce),
    }),
    credsAuthenticator: { authenticator: credsAuthenticator(() => bytes(user.creds)) },
    jwtAuthenticator: { authenticator: jwtAuthenticator(user.jwt, bytes(user.seed)) },
    credsFile: { authenticator: credsFile(creds) },
    "credentials, asynchronous": { resilience: { credentials: async () => credsFile(creds) } },
  };
  await assert.rejects(connect({ ...quick, servers: server.url }), /authorization/i);
  const clients = [];
  for (const [name, options] of Object.entries(spellings)) {
    const nc = await connected(t, server.url, options).catch((error) => assert.fail(`${name}: ${error}`));
    clients.push(nc);
  }
  const all = clients.map((nc) => next(nc, "reconnected"));
  await server.kill9();
  await server.restart();
  await Promise.all(all);
  for (const nc of clients) await nc.flush();
});

test("an NKEY: seed, seed file, or the owner's own signature", async (t) => {
  const user = operator().user();
  const server = await withNats(t, {
    config: { authorization: `{ users: [ { nkey: ${user.publicKey} } ] }` },
  });
  if (server === undefined) return;
  const write = await folder(t);
  const seedFile = await write("user.nk", user.seed);
  for (const options of [
    { authenticator: nkeyAuthenticator(bytes(user.seed)) },
    { authenticator: nkeySeedFile(seedFile) },
    fromGoOptions({ NkeyOptionFromSeed: seedFile }),
    fromGoOptions({ Nkey: user.publicKey, SignatureCB: (nonce) => user.sign(nonce) }),
  ]) {
    const nc = await connected(t, server.url, options);
    const back = next(nc, "reconnected");
    await nc.reconnect();
    await back;
  }
  await assert.rejects(
    connect({
      ...quick,
      servers: server.url,
      authenticator: nkeyAuthenticator(bytes(operator().user().seed)),
    }),
    /authorization/i,
  );
});

test("[nats 61]: a credentials file that is gone fails the attempt and is told; back again, it is read anew", async (t) => {
  const trusted = operator();
  const server = await withNats(t, { config: trusted.config });
  if (server === undefined) return;
  const write = await folder(t);
  const file = await write("user.creds", trusted.user().creds);
  const told: string[] = [];
  const nc = await connected(t, server.url, {
    ...fromGoOptions({
      UserCredentials: file,
      ReconnectWait: 10,
      MaxReconnect: -1,
      ReconnectErrCB: (_nc, error) => void told.push(String(error)),
    }),
  });
  await rm(file);
  for (let i = 0; i < 2; i++) {
    const failed = next(nc, "attemptFailed");
    await nc.reconnect();
    await failed;
  }
  assert.match(told[0] as string, /ENOENT/);
  const back = next(nc, "reconnected");
  const another = trusted.user();
  await write("user.creds", another.creds);
  await back;
  await write("user.creds", "nothing of use");
  const failed = next(nc, "attemptFailed");
  await nc.reconnect();
  const { cause } = (await failed) as { cause: Error };
  assert.match(String(cause), /unable to parse credentials/);
});

test("[nats 70] [nats 17]: a JWT that expires: told as expired, refused, refused again: closed; with fresh ones it goes on", async (t) => {
  const trusted = operator();
  const server = await withNats(t, { config: trusted.config });
  if (server === undefined) return;
  const shortLived = trusted.user(2);
  const seen: string[] = [];
  const stale = await connected(t, server.url, {
    ...fromGoOptions({
      UserCredentialBytes: shortLived.creds,
      AsyncErrorCB: (_nc, _sub, error) => void seen.push((error as Error).constructor.name),
    }),
    ignoreAuthErrorAbort: false,
    resilience: {
      ...fromGoOptions({
        AsyncErrorCB: (_nc, _sub, error) => void seen.push((error as Error).constructor.name),
      }).resilience,
      ...soon,
    },
  });
  let asked = 0;
  const fresh = await connected(t, server.url, {
    resilience: {
      ...soon,
      credentials: () => {
        asked++;
        return credsAuthenticator(bytes(asked === 1 ? shortLived.creds : trusted.user().creds));
      },
    },
  });
  const back = next(fresh, "reconnected");
  const why = (await stale.closed()) as Error;
  // The server counts in whole seconds: within the last one it may call a login expired instead of refusing it.
  assert.equal(seen[0], "UserAuthenticationExpiredError");
  assert.ok(seen.length >= 3, `${seen}`);
  assert.equal(seen.at(-1), seen.at(-2), "the same refusal twice");
  assert.equal(why.constructor.name, seen.at(-1));
  await back;
  assert.ok(asked >= 2);
});

test("[nats 66]: token and user callbacks are asked at each attempt; what credentials answers is the last word", async (t) => {
  const server = await withNats(t, { config: { authorization: "{ token: right }" } });
  if (server === undefined) return;
  let asked = 0;
  const nc = await connected(
    t,
    server.url,
    fromGoOptions({ TokenHandler: () => (++asked > 0 ? "right" : ""), ReconnectWait: 10 }),
  );
  const back = next(nc, "reconnected");
  await nc.reconnect();
  await back;
  assert.equal(asked, 2);
  const users = await withNats(t, { password: "pa55" });
  const named = fromGoOptions({ UserInfo: () => ["holdfast", "pa55"] });
  await connected(t, `127.0.0.1:${users?.port}`, named);
  await connected(t, `127.0.0.1:${users?.port}`, {
    user: "holdfast",
    pass: "old",
    resilience: {
      credentials: async ({ attempt, server }) => ({
        user: "holdfast",
        pass: `pa5${attempt + 4}${server ? "" : "!"}`,
      }),
    },
  });
});

test("credentials that hang are bounded by the attempt's time; a rejection fails that attempt only", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  let calls = 0;
  const signals: AbortSignal[] = [];
  const nc = await connected(t, server.url, {
    timeout: 1_000,
    resilience: {
      ...soon,
      credentials: ({ signal }) => {
        calls++;
        signals.push(signal);
        if (calls === 2) return new Promise(() => {});
        if (calls === 3) return Promise.reject(new Error("the vault is sealed"));
        return { user: "any", pass: "any" };
      },
    },
  });
  const causes: string[] = [];
  nc.resilience.on("attemptFailed", ({ cause }) => void causes.push(String(cause)));
  const back = next(nc, "reconnected");
  await nc.reconnect();
  await back;
  assert.equal(calls, 4);
  assert.match(causes[0] as string, /1000 ms \(credentials\)/);
  assert.match(causes[1] as string, /vault is sealed/);
  assert.ok(signals[1]?.aborted);
});
