/** Every option by nats.go's name and by nats.js' own: where it lands, and how a wrong one is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import {
  fromGoOptions,
  fromNatsOptions,
  type NatsConnectOptions,
  type NatsGoOptions,
} from "../../../src/drivers/nats/index.ts";
import { resolveResilience } from "../../../src/options/index.ts";

/** What a connection would be made of. */
function made(options: NatsConnectOptions) {
  const plan = fromNatsOptions(options);
  return { ...plan, engine: resolveResilience(plan.resilience) };
}
type Made = ReturnType<typeof made>;

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(isHoldfastError(error), String(error));
    assert.equal(error.code, "HF_OPTION");
    return error.message;
  }
  return assert.fail("not refused");
}

/** The longest wait after the first attempt. */
function longestMs({ engine }: Made): number {
  const first = engine.policy.backoff
    .start()
    .next({ next: () => 0.999_999_9 } as never, { attempt: 0, elapsedMs: 0 });
  assert.ok("schedule" in first);
  const second = first.schedule.next({ next: () => 0.999_999_9 } as never, { attempt: 1, elapsedMs: 0 });
  return "delayMs" in second ? Math.round(second.delayMs) : -1;
}

const hook = (): null => null;
const cb = (): void => {};
const factory = (): never => assert.fail("nothing is dialled");
const sign = (): Uint8Array => new Uint8Array([1]);
/** What the one authenticator says. */
const loggedIn = ({ library }: Made): unknown =>
  (library.authenticator as ((nonce?: string) => unknown)[])[0]?.("nonce");

/** nats.go's name and value, and what must come of it. */
const go: readonly [NatsGoOptions, (made: Made) => unknown, unknown][] = [
  [{ Url: "nats://a:1,b:2" }, ({ endpoints }) => endpoints.map(({ host }) => host), ["a", "b"]],
  [{ Servers: ["a", "tls://b"] }, ({ endpoints }) => endpoints[1]?.tls, true],
  [{ NoRandomize: true }, ({ engine }) => engine.endpointOptions.order, "given"],
  [{ Name: "n" }, ({ library }) => library.name, "n"],
  [{ AllowReconnect: false }, ({ engine }) => engine.policy.reconnect, false],
  [{ MaxReconnect: 7 }, ({ engine }) => engine.endpointOptions.maxAttemptsPerEndpoint, 7],
  [{ MaxReconnect: -3 }, ({ engine }) => engine.endpointOptions.maxAttemptsPerEndpoint, Infinity],
  [{ ReconnectWait: "3s", ReconnectJitter: 0 }, longestMs, 3_000],
  [{ ReconnectWait: 0, ReconnectJitter: "70ms" }, longestMs, 70],
  [{ ReconnectWait: 0, ReconnectJitterTLS: 80, Secure: true }, longestMs, 80],
  [{ ReconnectWait: 0, ReconnectJitterMax: 5 }, longestMs, 5],
  [{ CustomReconnectDelayCB: (n) => n * 10 }, longestMs, 10],
  [{ Timeout: "1m" }, ({ engine }) => engine.policy.connectTimeoutMs, 60_000],
  [
    { PingInterval: "1s", MaxPingsOut: 4 },
    ({ engine }) => engine.liveness,
    { idleProbeMs: 1_000, probeTimeoutMs: 4_000 },
  ],
  [{ ReconnectBufSize: 99 }, ({ engine }) => engine.outbox.bytes, 99],
  [{ RetryOnFailedConnect: true }, ({ engine }) => engine.policy.retryInitial, true],
  [{ IgnoreDiscoveredServers: true }, ({ discover }) => discover, false],
  [{ IgnoreAuthErrorAbort: true }, ({ authAbort }) => authAbort, false],
  [{ Secure: true }, ({ library }) => library.tls, {}],
  [{ TLSConfig: { ca: "x" } }, ({ library }) => library.tls, { ca: "x" }],
  [{ TLSHandshakeFirst: true }, ({ library }) => library.tls, { handshakeFirst: true }],
  [{ User: "u", Password: "p" }, ({ library }) => [library.user, library.pass], ["u", "p"]],
  [{ Token: "t" }, ({ library }) => library.token, "t"],
  [{ TokenHandler: () => "t" }, loggedIn, { auth_token: "t" }],
  [{ UserInfo: () => ["u", "p"] }, loggedIn, { user: "u", pass: "p" }],
  [{ InboxPrefix: "_I" }, ({ library }) => library.inboxPrefix, "_I"],
  [{ NoEcho: true }, ({ library }) => library.noEcho, true],
  [{ Verbose: true }, ({ library }) => library.verbose, true],
  [{ Pedantic: true }, ({ library }) => library.pedantic, true],
  [{ ReconnectToServerCB: hook }, ({ library }) => library.reconnectToServer, hook],
  [{ DrainTimeout: "9s" }, ({ engine }) => engine.drainTimeoutMs, 9_000],
  [{ FlusherTimeout: "2s" }, ({ own }) => [own.writeStallMs, own.reconnectOnWriteStall], [2_000, undefined]],
  [
    { ReconnectOnFlusherError: true },
    ({ own }) => [own.writeStallMs, own.reconnectOnWriteStall],
    [60_000, true],
  ],
  [{ NoCallbacksAfterClientClose: true }, ({ own }) => own.callbacks, { NoCallbacksAfterClientClose: true }],
  [
    { RetriedFirstConnectIs: "ReconnectedCB" },
    ({ own }) => own.callbacks,
    { RetriedFirstConnectIs: "ReconnectedCB" },
  ],
  ...[
    ...["ConnectedCB", "DisconnectedCB", "DisconnectedErrCB", "ReconnectedCB", "ReconnectErrCB"],
    ...["DiscoveredServersCB", "AsyncErrorCB", "LameDuckModeHandler", "ClosedCB"],
  ].map((name): [NatsGoOptions, (made: Made) => unknown, unknown] => [
    { [name]: cb },
    ({ own }) => own.callbacks,
    { [name]: cb },
  ]),
  [{ UserJWT: () => "jwt", SignatureCB: sign }, loggedIn, { jwt: "jwt", sig: "AQ==" }],
  [{ Nkey: "U", SignatureCB: sign }, loggedIn, { nkey: "U", sig: "AQ==" }],
  // What nats.js always does.
  [{ PermissionErrOnSubscribe: true, SkipSubjectValidation: false }, ({ own }) => own.callbacks, {}],
];

test("N5 N13 N14 N15 N16 N17 N18 N19 N20 N21 N22 N23 N24: every option by nats.go's name", () => {
  for (const [options, look, expected] of go)
    assert.deepEqual(look(made(fromGoOptions(options))), expected, JSON.stringify(Object.keys(options)));
});

/** nats.js' name and value, and what must come of it. */
const js: readonly [NatsConnectOptions, (made: Made) => unknown, unknown][] = [
  [{ port: 77 }, ({ endpoints }) => endpoints, [{ host: "127.0.0.1", port: 77 }]],
  [{ servers: "h" }, ({ endpoints }) => endpoints, [{ host: "h", port: 4222 }]],
  [{ servers: ["a:1", "b:2"], noRandomize: true }, ({ engine }) => engine.endpointOptions.order, "given"],
  [{ reconnect: false }, ({ engine }) => engine.policy.reconnect, false],
  [{ maxReconnectAttempts: 3 }, ({ engine }) => engine.endpointOptions.maxAttemptsPerEndpoint, 3],
  [{ maxReconnectAttempts: -1 }, ({ engine }) => engine.endpointOptions.maxAttemptsPerEndpoint, Infinity],
  [{ reconnectTimeWait: 30, reconnectJitter: 0 }, longestMs, 30],
  [{ reconnectTimeWait: 0, reconnectJitter: 40 }, longestMs, 40],
  [{ reconnectTimeWait: 0, reconnectJitterTLS: 50, tls: {} }, longestMs, 50],
  [{ reconnectTimeWait: 0, reconnectJitterTLS: 50, servers: "tls://h" }, longestMs, 50],
  [{ reconnectDelayHandler: () => 60 }, longestMs, 60],
  [{ timeout: 500 }, ({ engine }) => engine.policy.connectTimeoutMs, 500],
  [{ timeout: 0 }, ({ engine }) => engine.policy.connectTimeoutMs, 2_000],
  [
    { pingInterval: 10, maxPingOut: 5 },
    ({ engine }) => engine.liveness,
    { idleProbeMs: 10, probeTimeoutMs: 50 },
  ],
  [{ waitOnFirstConnect: true }, ({ engine }) => engine.policy.retryInitial, true],
  [{ ignoreClusterUpdates: true }, ({ discover }) => discover, false],
  [{ ignoreAuthErrorAbort: true }, ({ authAbort }) => authAbort, false],
  [{ reconnectToServer: hook }, ({ library }) => library.reconnectToServer, hook],
  [{ tls: null }, ({ library }) => library.tls, null],
  [
    { name: "n", noEcho: true, verbose: true, pedantic: true },
    ({ library: l }) => [l.name, l.noEcho, l.verbose, l.pedantic],
    ["n", true, true, true],
  ],
  [
    { inboxPrefix: "_I", debug: false, noAsyncTraces: true },
    ({ library: l }) => [l.inboxPrefix, l.debug, l.noAsyncTraces],
    ["_I", false, true],
  ],
  [
    { user: "u", pass: "p" },
    ({ library, urlLogin }) => [library.user, library.pass, urlLogin],
    ["u", "p", false],
  ],
  [{ token: "t" }, ({ library, urlLogin }) => [library.token, urlLogin], ["t", false]],
  // Every address of a name is tried at each attempt, whether or not the library would look them up itself.
  [{ resolve: true }, ({ library }) => library.resolve, false],
  [{ resolve: false }, ({ library }) => library.resolve, false],
  [{ servers: "ws://h", wsFactory: factory }, ({ webSocket }) => webSocket, factory],
  [{ authenticator: cb }, ({ library, urlLogin }) => [library.authenticator, urlLogin], [cb, false]],
];

/** Every field of nats.go's `Options` (1.53). */
const goFields = [
  ...["Url", "InProcessServer", "Servers", "NoRandomize", "NoEcho", "Name", "Verbose", "Pedantic", "Secure"],
  ...["TLSConfig", "TLSCertCB", "TLSHandshakeFirst", "RootCAsCB", "AllowReconnect", "MaxReconnect"],
  ...["ReconnectWait", "CustomReconnectDelayCB", "ReconnectJitter", "ReconnectJitterTLS", "Timeout"],
  ...["DrainTimeout", "FlusherTimeout", "ReconnectOnFlusherError", "PingInterval", "MaxPingsOut", "ClosedCB"],
  ...["DisconnectedCB", "DisconnectedErrCB", "ConnectedCB", "ReconnectedCB", "DiscoveredServersCB"],
  ...["AsyncErrorCB", "ReconnectErrCB", "ReconnectToServerCB", "ReconnectBufSize", "SubChanLen", "UserJWT"],
  ...["Nkey", "SignatureCB", "User", "Password", "UserInfo", "Token", "TokenHandler", "Dialer"],
  ...["CustomDialer", "UseOldRequestStyle", "NoCallbacksAfterClientClose", "LameDuckModeHandler"],
  ...["RetryOnFailedConnect", "Compression", "ProxyPath", "InboxPrefix", "IgnoreAuthErrorAbort"],
  ...["SkipHostLookup", "PermissionErrOnSubscribe", "WebSocketConnectionHeaders"],
  ...[
    "WebSocketConnectionHeadersHandler",
    "SkipSubjectValidation",
    "IgnoreDiscoveredServers",
    "WriteBufferSize",
  ],
];

test("every field of nats.go's Options is translated, or refused with its reason; none is unknown or ignored", () => {
  const translated = new Set(go.flatMap(([options]) => Object.keys(options)));
  for (const name of goFields.filter((field) => !translated.has(field))) {
    const message = refusal(() => fromGoOptions({ [name]: true } as never));
    assert.match(message, new RegExp(`"${name}" is refused: .{20}`));
  }
  assert.match(
    refusal(() => fromGoOptions({ SkipSubjectValidation: true as never })),
    /must be false: nats\.js/,
  );
  assert.match(
    refusal(() => fromGoOptions({ PermissionErrOnSubscribe: false as never })),
    /must be true: nats\.js/,
  );
});

test("logins of which nats.go takes only one are refused together, and a login that nobody signs", () => {
  const sign = (): Uint8Array => new Uint8Array();
  const wrong: readonly [NatsGoOptions, RegExp][] = [
    [{ Nkey: "U", UserJWT: () => "jwt", SignatureCB: sign }, /"UserJWT" is refused: "Nkey"/],
    [{ Token: "s3cret", TokenHandler: () => "s3cret" }, /"Token" is refused: "TokenHandler"/],
    [{ User: "s3cret", UserInfo: () => ["u", "p"] }, /"User" is refused: "UserInfo"/],
    [{ Password: "s3cret", UserInfo: () => ["u", "p"] }, /"Password" is refused: "UserInfo"/],
    [{ Nkey: "U" }, /"Nkey" is refused: SignatureCB is missing/],
    [{ UserJWT: () => "jwt" }, /"UserJWT" is refused: SignatureCB is missing/],
  ];
  for (const [options, words] of wrong) {
    const message = refusal(() => fromGoOptions(options));
    assert.match(message, words);
    assert.ok(!message.includes("s3cret"), message);
  }
});

/** Every option of nats.js; the compiler misses none. */
const jsNames: Readonly<Record<keyof Required<NatsConnectOptions>, true>> = {
  ...{ authenticator: true, debug: true, ignoreAuthErrorAbort: true, ignoreClusterUpdates: true },
  ...{ inboxPrefix: true, maxPingOut: true, maxReconnectAttempts: true, name: true, noAsyncTraces: true },
  ...{ noEcho: true, noRandomize: true, pass: true, pedantic: true, pingInterval: true, port: true },
  ...{ reconnect: true, reconnectDelayHandler: true, reconnectJitter: true, reconnectJitterTLS: true },
  ...{ reconnectTimeWait: true, reconnectToServer: true, resilience: true, resolve: true, servers: true },
  ...{ timeout: true, tls: true, token: true, user: true, verbose: true, waitOnFirstConnect: true },
  ...{ wsFactory: true },
};

test("every option by nats.js' own name, none left out", () => {
  const shown = new Set(js.flatMap(([options]) => Object.keys(options)));
  assert.deepEqual(
    Object.keys(jsNames).filter((name) => !shown.has(name)),
    ["resilience"],
  );
  for (const [options, look, expected] of js)
    assert.deepEqual(look(made(options)), expected, JSON.stringify(Object.keys(options)));
});

test("options that are undefined are as if they were not there", () => {
  const none = Object.fromEntries(
    js.flatMap(([options]) => Object.keys(options)).map((key) => [key, undefined]),
  );
  const { library, engine } = made(none as never);
  const plain = made({});
  assert.deepEqual(engine.policy.connectTimeoutMs, plain.engine.policy.connectTimeoutMs);
  assert.deepEqual(library.servers, plain.library.servers);
  const goNone = Object.fromEntries(
    go.flatMap(([options]) => Object.keys(options)).map((key) => [key, undefined]),
  );
  assert.deepEqual(made(fromGoOptions(goNone as never)).engine.outbox, plain.engine.outbox);
});

test("a wrong value is named with what is allowed, before anything is dialled; a secret is never shown", () => {
  const wrong: readonly [object, RegExp][] = [
    [{ maxReconnectAttempts: "many" }, /"maxReconnectAttempts" is "many".*whole number/],
    [{ maxReconnectAttempts: 1.5 }, /maxReconnectAttempts/],
    [{ reconnectTimeWait: -1 }, /reconnectTimeWait/],
    [{ reconnectJitter: Number.NaN }, /reconnectJitter/],
    [{ reconnectJitterTLS: "1s" }, /reconnectJitterTLS/],
    [{ timeout: Number.POSITIVE_INFINITY }, /timeout/],
    [{ pingInterval: "2m" }, /pingInterval/],
    [{ maxPingOut: 0.5 }, /maxPingOut/],
    [{ port: 70_000 }, /port/],
    [{ reconnect: "yes" }, /reconnect/],
    [{ authenticator: {} }, /authenticator/],
    [{ authenticator: [cb, 7] }, /authenticator\[1\]/],
    [{ reconnectDelayHandler: 5 }, /reconnectDelayHandler/],
    [{ reconnectToServer: "first" }, /reconnectToServer/],
    [{ wsFactory: "ws" }, /wsFactory/],
    [{ servers: 7 }, /servers/],
    [{ servers: ["a", {}] }, /servers\[1\]/],
    [{ maxReconectAttempts: 3 }, /maxReconectAttempts.*did you mean "maxReconnectAttempts"/],
    [{ resilience: { confirmWithinMs: -1 } }, /resilience\.confirmWithinMs/],
    [{ resilience: { unknownServerError: "ignore" } }, /resilience\.unknownServerError/],
    [{ resilience: { writeStallMs: 0 } }, /resilience\.writeStallMs/],
    [{ resilience: { credentials: "s3cret" } }, /resilience\.credentials/],
    [{ pass: { s3cret: 1 } }, /"pass"/],
    [{ token: ["s3cret"] }, /"token"/],
    [{ tls: "s3cret" }, /"tls"/],
  ];
  for (const [options, words] of wrong) {
    const message = refusal(() => made(options as never));
    assert.match(message, words);
    assert.ok(!message.includes("s3cret"), message);
  }
  const goWrong: readonly [object, RegExp][] = [
    [{ MaxReconnect: "60" }, /MaxReconnect/],
    [{ Timeout: 0 }, /Timeout/],
    [{ TLSConfig: "s3cret" }, /TLSConfig/],
    [{ UserCredentials: ["s3cret"] }, /UserCredentials/],
    [{ TokenHandler: "s3cret" }, /TokenHandler/],
    [{ FlusherTimeout: "soon" }, /FlusherTimeout/],
    [{ ReconnectedCb: cb }, /ReconnectedCb.*did you mean "ReconnectedCB"/],
  ];
  for (const [options, words] of goWrong) {
    const message = refusal(() => fromGoOptions(options as never));
    assert.match(message, words);
    assert.ok(!message.includes("s3cret"), message);
  }
});

test("an option of a later version of the library is passed on", () => {
  const { library } = made({ somethingNewAndFar: 7 } as never);
  assert.equal((library as { somethingNewAndFar?: number }).somethingNewAndFar, 7);
});
