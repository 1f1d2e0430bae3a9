import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isHoldfastError } from "../../../src/call/index.ts";
import { TcpClient, type TcpClientOptions } from "../../../src/drivers/tcp/index.ts";
import { parseTcpUrl } from "../../../src/drivers/tcp/url.ts";

/** The endpoints a client would dial; it is never started. */
function endpointsOf(options: TcpClientOptions): string[] {
  const client = new TcpClient(options);
  return client.resilience.snapshot().candidates.map(({ id }) => id);
}

test("says where to dial: url, port, or endpoints", () => {
  assert.deepEqual(endpointsOf({ url: "tcp://example.com:1234" }), ["example.com:1234"]);
  assert.deepEqual(endpointsOf({ url: "tls://[::1]:1" }), ["[::1]:1"]);
  assert.deepEqual(endpointsOf({ port: 1234 }), ["127.0.0.1:1234"]);
  const endpoints = ["tcp://a:1", { host: "b", port: 2 }] as const;
  assert.deepEqual(endpointsOf({ endpoints, resilience: { order: "given" } }), ["a:1", "b:2"]);
});

const wrong: [string, unknown, RegExp][] = [
  ["nothing", {}, /"port" is undefined.*or a url, or endpoints/],
  ["a host alone", { host: "a" }, /"port" is undefined/],
  ["two ways", { url: "tcp://a:1", port: 1 }, /"url" is refused: say where to dial in one way/],
  ["a port out of range", { port: 65_536 }, /"port" is 65536, but must be a whole number from 1 to 65535/],
  ["a port as text", { port: "80" }, /"port" is "80"/],
  ["an unknown key", { port: 1, framming: {} }, /unknown option "framming"; did you mean "framing"\?/],
  ["libhv's camel case elsewhere", { port: 1, keepaliveTimeout: 1 }, /did you mean "keepaliveTimeoutMs"\?/],
  [
    "an unknown resilience key",
    { port: 1, resilience: { conectTimeoutMs: 1 } },
    /did you mean "connectTimeoutMs"\?/,
  ],
  [
    "an unknown tls key",
    { port: 1, tls: { rejectUnauthorised: false } },
    /did you mean "rejectUnauthorized"\?/,
  ],
  [
    "an unknown endpoint key",
    { endpoints: [{ host: "a", prot: 1 }] },
    /"endpoints\[0\]\.prot"; did you mean "port"\?/,
  ],
  ["no endpoint", { endpoints: [] }, /a list of at least 1/],
  ["a scheme", { url: "tpc://a:1" }, /did you mean "tcp"\?/],
  ["no port in the url", { url: "tcp://a" }, /must be tcp:\/\/host:port/],
  ["a path", { url: "tcp://a:1/db" }, /TCP has no path/],
  ["parameters", { url: "tcp://a:1?x=1" }, /TCP has no path, parameters/],
  ["tls against tcp://", { url: "tcp://a:1", tls: true }, /"tls" is refused: it contradicts the scheme/],
  ["tls off against tls://", { url: "tls://a:1", tls: false }, /"tls" is refused/],
  ["framing", { port: 1, framing: { mode: "fixedLength" } }, /"framing\.frameBytes"/],
  ["both framings", { port: 1, framing: { mode: "none" }, unpack: {} }, /"unpack" is refused/],
  ["unpack", { port: 1, unpack: { mode: 1 } }, /"unpack\.fixed_length"/],
  ["a heartbeat", { port: 1, heartbeat: { intervalMs: 10 } }, /"heartbeat\.payload"/],
  ["a timeout", { port: 1, readTimeoutMs: -1 }, /"readTimeoutMs" is -1/],
  ["reconnect", { port: 1, reconnect: { min_dely: 1 } }, /"reconnect\.min_dely"; did you mean "min_delay"\?/],
  [
    "reconnect in both spellings",
    { port: 1, reconnect: { minDelay: 1, min_delay: 1 } },
    /"reconnect\.min_delay"/,
  ],
  [
    "two schedules",
    { port: 1, reconnect: {}, resilience: { backoff: "libhv-fixed" } },
    /"resilience\.backoff" is refused/,
  ],
  [
    "two timeouts",
    { port: 1, connect_timeout: 1, resilience: { connectTimeoutMs: 2 } },
    /"connect_timeout" is refused/,
  ],
];

for (const [what, options, message] of wrong) {
  test(`refused before any dial: ${what}`, () => {
    assert.throws(
      () => new TcpClient(options as TcpClientOptions),
      (error) => {
        assert.ok(isHoldfastError(error) && error.code === "HF_OPTION");
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test("a password in a URL is refused and never shown", () => {
  assert.throws(
    () => new TcpClient({ url: "tcp://me:s3cret@a:1" }),
    (error) => isHoldfastError(error) && !error.message.includes("s3cret") && /no user/.test(error.message),
  );
});

test("wrong values at run time are refused too, and change nothing", () => {
  const client = new TcpClient({ port: 1 });
  assert.throws(() => client.setReconnect({ delay_policy: -1 }), { code: "HF_OPTION" });
  assert.throws(() => client.setKeepaliveTimeout(-5), { code: "HF_OPTION" });
  assert.throws(() => client.setHeartbeat(0, "x"), { code: "HF_OPTION" });
  assert.throws(() => client.send("x", { deadlineMs: -1 }), { code: "HF_OPTION" });
  assert.throws(() => client.send(5 as unknown as string), { code: "HF_OPTION" });
  assert.equal(client.resilience.snapshot().phase, "idle");
});

test("fuzz: any text is a URL of TCP or refused as an option, and nothing else; what is accepted round-trips", () => {
  const piece = fc.constantFrom(
    "tcp",
    "tls",
    "://",
    ":",
    "[",
    "]",
    "::1",
    "a.b",
    "1",
    "65535",
    "@",
    "/",
    "?",
    "#",
    "%",
    " ",
    "\n",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 8 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (url) => {
      try {
        const { host, port } = parseTcpUrl(url);
        assert.ok(host.length > 0 && port >= 1 && port <= 65_535);
        assert.ok(!/[\s@/?#[\]]/.test(host), `host ${JSON.stringify(host)}`);
      } catch (error) {
        assert.ok(isHoldfastError(error) && error.code === "HF_OPTION", String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});
