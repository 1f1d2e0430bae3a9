import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type HoldfastError, isHoldfastError } from "../../../src/call/index.ts";
import { fromGoRedisOptions } from "../../../src/drivers/redis/translate/go-redis-options.ts";
import { fromGoRedisUrl } from "../../../src/drivers/redis/translate/go-redis-url.ts";
import { fromRedisPy } from "../../../src/drivers/redis/translate/redis-py.ts";
import { fromRedisPyYaml } from "../../../src/drivers/redis/translate/redis-py-yaml.ts";

function refusal(run: () => unknown): HoldfastError {
  let returned: unknown;
  try {
    returned = run();
  } catch (error) {
    assert.ok(isHoldfastError(error), String(error));
    assert.equal(error.code, "HF_OPTION");
    assert.equal(error.cause, undefined, "a cause could hold the URL");
    return error;
  }
  assert.fail(`nothing was thrown, but ${JSON.stringify(returned)} returned`);
}

const refusedUrl = (url: string): string => refusal(() => fromGoRedisUrl(url)).message;

test("URL: schemes, host, port, user and their defaults", () => {
  const client = (url: string) => fromGoRedisUrl(url).client;
  assert.deepEqual(client("redis://"), { endpoints: [{ host: "localhost", port: 6379 }], database: 0 });
  assert.deepEqual(client("redis://h"), { endpoints: [{ host: "h", port: 6379 }], database: 0 });
  assert.deepEqual(client("REDIS://:7"), { endpoints: [{ host: "localhost", port: 7 }], database: 0 });
  assert.deepEqual(client("redis://[2001:db8::1]:6390/4"), {
    endpoints: [{ host: "2001:db8::1", port: 6390 }],
    database: 4,
  });
  assert.deepEqual(client("redis://[fe80::1%25eth0]").endpoints, [{ host: "fe80::1%eth0", port: 6379 }]);
  assert.deepEqual(client("redis://:p%40ss%2Fw@h/"), {
    endpoints: [{ host: "h", port: 6379 }],
    database: 0,
    password: "p@ss/w",
  });
  assert.deepEqual(client("rediss://u:p@h:1?skip_verify=1&client_name=a+b&protocol=2"), {
    endpoints: [{ host: "h", port: 1 }],
    database: 0,
    username: "u",
    password: "p",
    clientName: "a b",
    protocol: 2,
    tls: { serverName: "h", verify: false, minVersion: "TLSv1.2" },
  });
  assert.equal(client("rediss://h").tls?.verify, true);
  assert.deepEqual(client("unix://user:password@/run/redis.sock?db=3"), {
    endpoints: [{ path: "/run/redis.sock" }],
    database: 3,
    username: "user",
    password: "password",
  });
});

test("[mariadb-redis 59] URL: a number without a unit is seconds, zero or less switches off, blank is the default, the last one wins", () => {
  const dialMs = (value: string) => fromGoRedisUrl(`redis://h?${value}`).resilience.connectTimeoutMs;
  assert.equal(dialMs("dial_timeout=3"), 3_000);
  assert.equal(dialMs("dial_timeout=100ms"), 100);
  assert.equal(dialMs("dial_timeout=1h30m"), 5_400_000);
  assert.equal(dialMs("dial_timeout=0"), undefined);
  assert.equal(dialMs("dial_timeout=-1"), undefined);
  assert.equal(dialMs("dial_timeout=-2s"), undefined);
  assert.equal(dialMs("dial_timeout="), 5_000);
  assert.equal(dialMs("dial_timeout"), 5_000);
  assert.equal(dialMs(""), 5_000);
  assert.equal(dialMs("dial_timeout=3&dial_timeout=7"), 7_000);
  assert.equal(dialMs("dial_timeout=3&dial_timeout="), 5_000);
});

test("URL: retries, −1 off and 0 the default; the write timeout follows the read timeout", () => {
  const resilience = (query: string) => fromGoRedisUrl(`redis://h?${query}`).resilience;
  assert.equal(resilience("max_retries=-1").retries.max, 0);
  assert.equal(resilience("max_retries=0").retries.max, 3);
  assert.equal(resilience("max_retries=").retries.max, 3);
  assert.equal(resilience("max_retries=12").retries.max, 12);
  assert.deepEqual(resilience("min_retry_backoff=1&max_retry_backoff=2s").retries.backoff, {
    name: "go-redis",
    minMs: 1_000,
    maxMs: 2_000,
  });
  assert.equal(resilience("min_retry_backoff=-1").retries.backoff.name, "none");
  assert.equal(resilience("read_timeout=0").writeTimeoutMs, undefined);
  assert.equal(resilience("read_timeout=9").writeTimeoutMs, 9_000);
  assert.equal(resilience("read_timeout=9&write_timeout=2").writeTimeoutMs, 2_000);
  assert.equal(resilience("read_timeout=9&write_timeout=-1").writeTimeoutMs, undefined);
});

test("URL: the database of the query wins over the path, but a bad path is still an error", () => {
  assert.equal(fromGoRedisUrl("redis://h/3?db=1").client.database, 1);
  assert.equal(fromGoRedisUrl("redis://h/3").client.database, 3);
  assert.equal(fromGoRedisUrl("redis://h/3?db=").client.database, 3);
  assert.equal(fromGoRedisUrl("redis://h/3?db=0").client.database, 0);
  assert.equal(fromGoRedisUrl("redis://h//3/").client.database, 3);
  assert.match(refusedUrl("redis://h/x?db=1"), /path must be a database number/);
  assert.match(refusedUrl("redis://h/1/2"), /more than one segment/);
  assert.match(refusedUrl("redis://h?db=-1"), /"db" is "-1", but must be a whole number, 0 or more/);
});

test("URL: defaults by version", () => {
  const pick = (version: "8" | "9" | "9.22") => fromGoRedisUrl("redis://h", { version }).resilience;
  for (const version of ["8", "9"] as const) {
    assert.deepEqual(pick(version).retries.backoff, { name: "go-redis", minMs: 8, maxMs: 512 });
    assert.equal(pick(version).readTimeoutMs, 3_000);
  }
  assert.deepEqual(pick("9.22").retries.backoff, { name: "go-redis", minMs: 10, maxMs: 1_000 });
  assert.equal(pick("9.22").readTimeoutMs, 5_000);
  assert.equal(pick("9.22").keepAliveMs, 30_000);
  assert.match(
    refusal(() => fromGoRedisUrl("redis://h", { version: "10" as "9" })).message,
    /"version" is "10"/,
  );
});

test("[mariadb-redis 59] URL: an unknown parameter is an error that suggests the nearest", () => {
  assert.match(
    refusedUrl("redis://h?dial_timout=3"),
    /unknown parameter "dial_timout".*did you mean "dial_timeout"/,
  );
  assert.match(refusedUrl("redis://h?readTimeout=3"), /did you mean "read_timeout"/);
  assert.match(refusedUrl("redis://h?skip_verify=1"), /"rediss:\/\/" URL only/);
});

test("URL: cluster parameters are refused, not ignored", () => {
  assert.match(refusedUrl("redis://h?max_redirects=1"), /belongs to a cluster client/);
});

test("URL: what is malformed is refused, by value and by place", () => {
  for (const [url, why] of [
    ["", /must start with/],
    ["localhost:6379", /must start with/],
    ["http://h", /scheme must be/],
    ["redis://h:0", /port is not from 1/],
    ["redis://h:65536", /port is not from 1/],
    ["redis://h:6379x", /host or port is malformed/],
    ["redis://::1", /IPv6 address in \[brackets\]/],
    ["redis://[::1", /host or port is malformed/],
    ["redis://h#frag", /"#" must be percent-encoded/],
    ["redis://h /", /space or control/],
    ["redis://h\n/", /space or control/],
    ["redis://u:%zz@h", /password has a bad percent escape/],
    ["redis://h?db=%f", /query has a bad percent escape/],
    ["redis://h?dial_timeout=3x", /"dial_timeout" is "3x", but must be whole seconds, or a duration/],
    ["redis://h?max_retries=-2", /"max_retries" is "-2", but must be a whole number, -1 or more/],
    ["redis://h?max_retries=1e3", /"max_retries"/],
    ["rediss://h?skip_verify=yes", /"skip_verify" is "yes", but must be "true", "false", "1", "0" or blank/],
    ["redis://h?protocol=1", /"protocol" is "1", but must be 2 or 3/],
    ["unix://", /needs the path of a socket/],
    ["unix://run/redis.sock", /three slashes/],
    [`redis://h/${"1".repeat(10_000)}`, /longer than 8192/],
  ] as const) {
    assert.match(refusedUrl(url), why, url);
  }
});

/** Every URL either parses or throws our error; the words of the user part are in no message. */
function neverLeaks(url: string, secrets: readonly string[]): void {
  try {
    fromGoRedisUrl(url);
  } catch (error) {
    assert.ok(isHoldfastError(error), `${fc.stringify(url)} threw ${String(error)}`);
    assert.equal(error.code, "HF_OPTION");
    const shown = `${error.message} ${JSON.stringify(error.details)} ${String(error.cause)}`;
    for (const secret of secrets) assert.ok(!shown.includes(secret), `${fc.stringify(url)}: ${shown}`);
  }
}

const scheme = fc.constantFrom("redis", "rediss", "unix", "http", "");
const hostile = fc.constantFrom(
  "/",
  "?",
  "#",
  "@",
  ":",
  "%",
  "&",
  "=",
  "[",
  "]",
  " ",
  "\\",
  "é",
  "%41",
  "//",
  "\0",
  "",
);
const tail = fc.constantFrom(
  "",
  "/0",
  "/x",
  "?db=z",
  "?pool_size=x",
  "?dial_timeout=q",
  "/1/2",
  ":99999",
  "?nope=1",
);

test("URL fuzz: any text gives options or HF_OPTION, nothing else", () => {
  const anyUrl = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.tuple(scheme, fc.string({ maxLength: 40 })).map(([s, rest]) => `${s}://${rest}`),
    fc
      .array(fc.oneof(hostile, fc.string({ maxLength: 6 })), { maxLength: 12 })
      .map((parts) => `redis://${parts.join("")}`),
  );
  fc.assert(
    fc.property(anyUrl, (url) => neverLeaks(url, [])),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.anything(), (value) => neverLeaks(value as string, [])),
    { numRuns: 500 },
  );
});

test("URL fuzz: a password with unescaped delimiters is in no message", () => {
  // Some of these make the rest of the password look like a parameter's name or value.
  const misplaced = fc.oneof(hostile, fc.constantFrom("?db=", "/?dial_timeout=", "?x&", "/0?protocol="));
  const piece = fc.string({ unit: fc.constantFrom(..."qwxzjkQWXZJK"), minLength: 8, maxLength: 12 });
  fc.assert(
    fc.property(
      scheme,
      piece,
      misplaced,
      piece,
      fc.constantFrom("", "=1", "&x"),
      tail,
      (s, a, m, b, then, end) => {
        neverLeaks(`${s}://user:${a}${m}${b}${then}@host${end}`, [a, b]);
        neverLeaks(`${s}://${a}${m}${b}${then}@host${end}`, [a, b]);
      },
    ),
    { numRuns: 3_000 },
  );
});

test("URL: what is written is read back, whatever characters user and password are made of", () => {
  const word = fc.string({ unit: "grapheme", maxLength: 12 });
  fc.assert(
    fc.property(
      word,
      word,
      fc.nat(15),
      fc.integer({ min: 1, max: 65_535 }),
      (username, password, db, port) => {
        const encode = (text: string): string => encodeURIComponent(text).replaceAll("%2C", ",");
        const { client } = fromGoRedisUrl(`redis://${encode(username)}:${encode(password)}@h:${port}/${db}`);
        assert.equal(client.username ?? "", username);
        assert.equal(client.password ?? "", password);
        assert.deepEqual([client.endpoints, client.database], [[{ host: "h", port }], db]);
      },
    ),
  );
});

test("Go options by their Go names", () => {
  const { pool: _pool, ...read } = fromGoRedisOptions({
    Addr: "cache:6380",
    DB: 2,
    Username: "u",
    Password: "p",
    MaxRetries: 5,
    MinRetryBackoff: "20ms",
    MaxRetryBackoff: "1s",
    DialTimeout: "1.5s",
    ReadTimeout: -1,
    WriteTimeout: "4s",
    TLSConfig: { InsecureSkipVerify: true },
  });
  assert.deepEqual(read, {
    client: {
      endpoints: [{ host: "cache", port: 6380 }],
      database: 2,
      username: "u",
      password: "p",
      tls: { serverName: "cache", verify: false, minVersion: "TLSv1.2" },
    },
    resilience: {
      connectTimeoutMs: 1_500,
      readTimeoutMs: undefined,
      writeTimeoutMs: 4_000,
      retries: {
        max: 5,
        backoff: { name: "go-redis", minMs: 20, maxMs: 1_000 },
        onLoss: true,
        onTimeout: true,
      },
      keepAliveMs: 300_000,
      idleProbeMs: undefined,
    },
  });
  assert.equal(fromGoRedisOptions({ MaxRetries: -1 }).resilience.retries.max, 0);
  assert.equal(fromGoRedisOptions({ MaxRetries: 0 }).resilience.retries.max, 3);
  assert.equal(fromGoRedisOptions({ MaxRetryBackoff: -1 }).resilience.retries.backoff.name, "none");
  assert.deepEqual(fromGoRedisOptions({ Addr: "/run/r.sock" }).client.endpoints, [{ path: "/run/r.sock" }]);
  assert.deepEqual(fromGoRedisOptions({ Addr: "[::1]:7" }).client.endpoints, [{ host: "::1", port: 7 }]);
  assert.equal(fromGoRedisOptions({}, "9.22").resilience.readTimeoutMs, 5_000);
});

test("Go options: numbers that would be nanoseconds, pool sizes and misspellings are refused", () => {
  const message = (options: object): string => refusal(() => fromGoRedisOptions(options)).message;
  assert.match(message({ DialTimeout: 5 }), /"DialTimeout" is 5, but must be a Go duration.*nanoseconds/);
  assert.match(message({ DialTimeout: "5" }), /"DialTimeout" is "5"/);
  assert.match(message({ PoolSize: -1 }), /"PoolSize" is -1/);
  assert.match(message({ OnConnect: () => 1 }), /"OnConnect" is refused/);
  assert.match(message({ MaxRetrys: 1 }), /did you mean "MaxRetries"/);
  assert.match(message({ Addr: "nohost" }), /"Addr" is "nohost", but must be host:port/);
  assert.match(message({ MaxRetries: -2 }), /"MaxRetries" is -2/);
  assert.doesNotMatch(message({ Password: { hunter2: 1 } }), /hunter2/);
});

test("redis-py: timeouts are seconds, None is no deadline, the connect timeout follows the socket timeout", () => {
  const timeouts = (kwargs: object, version?: "3.1" | "4" | "8") => {
    const { resilience: r } = fromRedisPy(kwargs, version === undefined ? {} : { version });
    return [r.connectTimeoutMs, r.readTimeoutMs];
  };
  assert.deepEqual(timeouts({}), [undefined, undefined]);
  assert.deepEqual(timeouts({ socket_timeout: 0.25 }), [250, 250]);
  assert.deepEqual(timeouts({ socket_timeout: 2, socket_connect_timeout: 1 }), [1_000, 2_000]);
  assert.deepEqual(timeouts({}, "8"), [5_000, 5_000]);
  assert.deepEqual(timeouts({ socket_timeout: null }, "8"), [5_000, undefined]);
  assert.deepEqual(timeouts({ socket_timeout: 2 }, "8"), [5_000, 2_000]);
  assert.deepEqual(timeouts({ socket_timeout: 2, socket_connect_timeout: null }, "8"), [2_000, 2_000]);
  assert.deepEqual(timeouts({ socket_timeout: null, socket_connect_timeout: null }, "8"), [
    undefined,
    undefined,
  ]);
});

test("redis-py: what is retried, by version", () => {
  const retries = (kwargs: object, version: "3.1" | "3.2" | "4" | "6" | "8") =>
    fromRedisPy(kwargs, { version }).resilience.retries;
  const none = { name: "none", minMs: 0, maxMs: 0 };
  const rows: ReadonlyArray<readonly ["3.1" | "3.2" | "4", object, number, boolean, boolean]> = [
    ["3.1", {}, 1, true, false],
    ["3.1", { retry_on_timeout: true }, 1, true, true],
    ["3.2", {}, 0, false, false],
    ["3.2", { retry_on_timeout: true }, 1, false, true],
    ["4", {}, 0, false, false],
    ["4", { retry_on_timeout: true }, 1, false, true],
    ["4", { retry_on_error: ["ConnectionError"] }, 1, true, false],
  ];
  for (const [version, kwargs, max, onLoss, onTimeout] of rows) {
    assert.deepEqual(retries(kwargs, version), { max, backoff: none, onLoss, onTimeout }, version);
  }
  const withJitter = "exponential-with-jitter";
  assert.deepEqual(retries({}, "6").backoff, { name: withJitter, minMs: 1_000, maxMs: 10_000 });
  assert.equal(retries({}, "6").max, 3);
  assert.deepEqual(retries({}, "8").backoff, { name: withJitter, minMs: 10, maxMs: 1_000 });
  assert.equal(retries({}, "8").max, 10);
  assert.deepEqual(retries({ retry: { retries: -1, backoff: "FullJitterBackoff" } }, "8"), {
    max: Infinity,
    backoff: { name: "full-jitter", minMs: 8, maxMs: 512 },
    onLoss: true,
    onTimeout: true,
  });
  assert.deepEqual(
    retries({ retry: { retries: 2, backoff: { class: "ExponentialBackoff", base: 0.1, cap: 3 } } }, "4")
      .backoff,
    { name: "exponential", minMs: 100, maxMs: 3_000 },
  );
  assert.match(
    refusal(() => fromRedisPy({ retry: { retries: 1, backoff: "NoBackoff" } })).message,
    /"retry" is refused: redis-py 3.1 has no such argument/,
  );
});

test("redis-py: the rest of the arguments", () => {
  const { client, resilience } = fromRedisPy({
    host: "h",
    port: "6390",
    db: 4,
    username: "u",
    password: null,
    client_name: "c",
    protocol: 3,
    ssl: true,
    ssl_cert_reqs: "none",
    max_connections: 10,
    socket_keepalive: true,
    health_check_interval: 15,
  });
  assert.deepEqual(client, {
    endpoints: [{ host: "h", port: 6390 }],
    database: 4,
    username: "u",
    clientName: "c",
    protocol: 3,
    tls: { serverName: "h", verify: false, minVersion: "TLSv1.2" },
    maxConnections: 10,
  });
  assert.equal(resilience.keepAliveMs, 30_000);
  assert.equal(resilience.idleProbeMs, 15_000);
  assert.deepEqual(fromRedisPy({ unix_socket_path: "/r.sock" }).client.endpoints, [{ path: "/r.sock" }]);
});

test("redis-py: bad arguments are refused by path", () => {
  const message = (kwargs: object): string => refusal(() => fromRedisPy(kwargs, { path: "redis" })).message;
  assert.match(
    message({ socket_timeout: 0 }),
    /"redis.socket_timeout" is 0, but must be seconds as a number above 0/,
  );
  assert.match(message({ socket_timeout: "1s" }), /"redis.socket_timeout" is "1s"/);
  assert.match(message({ max_connections: 0 }), /"redis.max_connections" is 0/);
  assert.match(message({ password: 123456 }), /"redis.password" is \*\*\*/);
  assert.match(message({ retry_on_timeouts: true }), /did you mean "retry_on_timeout"/);
  assert.match(message({ decode_responses: true }), /"decode_responses" is refused/);
});

test("YAML: other blocks are left alone; errors name the place and quote nothing", () => {
  assert.equal(fromRedisPyYaml("mysql: {a: 1}\nredis: {db: 3}").client.database, 3);
  const message = (text: string): string => refusal(() => fromRedisPyYaml(text)).message;
  assert.match(message("rediss: {}"), /no "redis:" block; did you mean "rediss"/);
  assert.match(message("redis: 1"), /must be a mapping/);
  assert.match(message("redis:\n  db: 1\n  db: 2\n"), /DUPLICATE_KEY at line 3/);
  const broken = message('redis:\n  password: "hunter2\n  port: [1');
  assert.match(broken, /at line \d+/);
  assert.doesNotMatch(broken, /hunter2/);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      try {
        fromRedisPyYaml(text);
      } catch (error) {
        assert.ok(isHoldfastError(error), String(error));
      }
    }),
  );
});

test("fuzz: any object of options gives options or HF_OPTION, nothing else, and shows no secret", () => {
  const keys = [
    ...["Addr", "DB", "Password", "DialTimeout", "MaxRetries", "TLSConfig", "PoolSize", "Network"],
    ...[
      "host",
      "port",
      "db",
      "password",
      "socket_timeout",
      "retry",
      "retry_on_error",
      "ssl",
      "max_connections",
    ],
  ];
  const value = fc.oneof(fc.anything(), fc.integer(), fc.string(), fc.boolean(), fc.constant(null));
  const options = fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), value, { maxKeys: 4 });
  fc.assert(
    fc.property(fc.oneof(options, fc.anything()), (given) => {
      for (const translate of [fromGoRedisOptions, fromRedisPy]) {
        try {
          translate(given as object);
        } catch (error) {
          assert.ok(isHoldfastError(error) && error.code === "HF_OPTION", String(error));
        }
      }
    }),
    { numRuns: 1_000 },
  );
  assert.doesNotMatch(refusal(() => fromRedisPy({ password: ["hunter2"] })).message, /hunter2/);
});
