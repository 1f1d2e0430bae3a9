/** The DSN of Go's MySQL driver (SOURCES M5). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromGoMysqlDsn, type SqlSettings } from "../../../src/sql/index.ts";

const local = { host: "127.0.0.1", port: 3306 };

/** What every DSN has that says nothing else: Go's defaults. */
function settings(more: Partial<SqlSettings>): SqlSettings {
  const goes = { dates: "text", timeZone: "UTC", countFoundRows: false } as const;
  return { system: "mysql", endpoints: [local], ...goes, ...more };
}

const addresses: [string, Partial<SqlSettings>][] = [
  ["/", {}],
  ["@/", {}],
  ["/shop", { database: "shop" }],
  ["/a%2Fb%20c", { database: "a/b c" }],
  ["ann@/shop", { user: "ann", database: "shop" }],
  ["ann:@/", { user: "ann" }],
  ["ann:a:b@/", { user: "ann", password: "a:b" }],
  ["ann:p@/ss(w)%41@/shop", { user: "ann", password: "p@/ss(w)%41", database: "shop" }],
  ["tcp/", {}],
  ["tcp(db.internal)/", { endpoints: [{ host: "db.internal", port: 3306 }] }],
  ["tcp(db.internal:3307)/", { endpoints: [{ host: "db.internal", port: 3307 }] }],
  ["tcp(:3307)/", { endpoints: [{ host: "localhost", port: 3307 }] }],
  ["tcp6([2001:db8::1]:3307)/", { endpoints: [{ host: "2001:db8::1", port: 3307 }] }],
  ["tcp([::1])/", { endpoints: [{ host: "::1", port: 3306 }] }],
  ["tcp(2001:db8::1)/", { endpoints: [{ host: "2001:db8::1", port: 3306 }] }],
  ["unix/", { endpoints: [{ host: "", port: 0, path: "/tmp/mysql.sock" }] }],
  [
    "bo@unix(/run/my.sock)/x",
    { user: "bo", database: "x", endpoints: [{ host: "", port: 0, path: "/run/my.sock" }] },
  ],
];
for (const [dsn, expected] of addresses) {
  test(`M5: address ${dsn}`, () => assert.deepEqual(fromGoMysqlDsn(dsn), settings(expected)));
}

const parameters: [string, Partial<SqlSettings>][] = [
  ["allowAllFiles=false&allowOldPasswords=0&allowNativePasswords=1&interpolateParams=true", {}],
  ["allowCleartextPasswords=TRUE", { cleartextPassword: true }],
  ["charset=utf8mb4,utf8", { charsets: ["utf8mb4", "utf8"] }],
  ["checkConnLiveness=true", {}],
  ["checkConnLiveness=false", { pool: { validateAfterIdleMs: Number.POSITIVE_INFINITY } }],
  ["clientFoundRows=1", { countFoundRows: true }],
  ["collation=utf8mb4_unicode_ci", { collation: "utf8mb4_unicode_ci" }],
  ["columnsWithAlias=true&compress=true", { tableInNames: true, compress: true }],
  [
    "connectionAttributes=program_name:shop%2Fweb,a:b:c,",
    { connectionAttributes: { program_name: "shop/web", a: "b:c" } },
  ],
  ["loc=UTC", { timeZone: "UTC" }],
  ["loc=", { timeZone: "UTC" }],
  ["loc=Local", { timeZone: "local" }],
  ["loc=Europe%2FParis", { timeZone: "Europe/Paris" }],
  ["maxAllowedPacket=0", {}],
  ["maxAllowedPacket=67108864", {}],
  ["multiStatements=true", { multipleStatements: true }],
  ["parseTime=True", { dates: "objects" }],
  ["parseTime=false", { dates: "text" }],
  [
    "timeout=5s&readTimeout=1m30s&writeTimeout=250ms",
    { connectTimeoutMs: 5_000, readTimeoutMs: 90_000, writeTimeoutMs: 250 },
  ],
  ["timeout=0&readTimeout=-1s", {}],
  ["timeTruncate=1us", {}],
  ["rejectReadOnly=true", { rejectReadOnly: true }],
  ["tls=false", { tls: false }],
  ["tls=true", { tls: { verify: "full" } }],
  ["tls=True", { tls: { verify: "full" } }],
  ["tls=skip-verify", { tls: { verify: "none" } }],
  ["tls=Preferred", { tls: { verify: "none", fallback: "plain" } }],
  ["allowFallbackToPlaintext=true&tls=true", { tls: { verify: "full", fallback: "plain" } }],
  ["allowFallbackToPlaintext=true", {}],
  [
    "sql_mode=%27ANSI%27&time_zone=%27%2B02%3A00%27&wait_timeout=60",
    { sessionVariables: { sql_mode: "'ANSI'", time_zone: "'+02:00'", wait_timeout: "60" } },
  ],
  ["a+b&parseTime=1&parseTime=0&", { dates: "text" }],
];
for (const [query, expected] of parameters) {
  test(`M5: ?${query}`, () => assert.deepEqual(fromGoMysqlDsn(`/?${query}`), settings(expected)));
}

test("M5: a registered TLS configuration, and the pool's limits", () => {
  const ca = { ca: "PEM" };
  const read = fromGoMysqlDsn("/?tls=my%20ca", { tlsConfigs: { "my ca": ca }, limits: { MaxOpenConns: 7 } });
  assert.deepEqual(read.tls, { verify: "full", config: ca });
  assert.equal(read.pool?.max, 7);
  assert.equal(read.pool?.maxIdle, 2);
});

const refused: [string, RegExp][] = [
  ["", /"dsn" is not usable: it is empty/],
  ["user:secret@tcp(h:1)", /it needs a "\/" before the database/],
  ["tcp(h/", /the address has no closing "\)"/],
  ["tcp(h)/x?loc=Europe/Paris", /a "\/" in the value of a parameter must be written %2F/],
  ["udp(h:1)/", /its network must be "tcp", "tcp4", "tcp6" or "unix"/],
  ["ann:secret/shop", /is an "@" missing/],
  ["tcp(h:0)/", /a port from 1 to 65535/],
  ["tcp(h:x)/", /a port from 1 to 65535/],
  ["/%zz", /its database holds a "%"/],
  ["/?parseTime=yes", /option "parseTime" is "yes", but must be true, True/],
  ["/?timeout=3", /option "timeout" is "3", but must be a duration with a unit/],
  ["/?loc=Moon", /option "loc" is "Moon", but must be "Local"/],
  [
    "/?parsetime=true",
    /unknown parameter "parsetime" \(did you mean "parseTime"\?\)|unknown parameter "parsetime"; did you mean "parseTime"/,
  ],
  ["/?max%20x=1", /unknown parameter/],
  ["/?x;drop=1", /unknown parameter \(not shown/],
  ["/?tls=custom", /option "tls" is "custom", but must be true, false, skip-verify, preferred$/],
  ["/?allowOldPasswords=true", /option "allowOldPasswords" is refused/],
  ["/?allowAllFiles=true", /option "allowAllFiles" is refused/],
  ["/?allowNativePasswords=false", /option "allowNativePasswords" is refused/],
  ["/?serverPubKey=k", /option "serverPubKey" is refused/],
  ["/?strict=true", /option "strict" is refused/],
  ["/?timeTruncate=1h", /option "timeTruncate" is refused/],
  ["/?maxAllowedPacket=100", /option "maxAllowedPacket" is refused/],
  ["/?maxAllowedPacket=-1", /a whole number from 0/],
  ["/?connectionAttributes=a", /option "connectionAttributes" is "a", but must be a list/],
];
for (const [dsn, message] of refused) {
  test(`M5: refused: ${dsn}`, () => {
    assert.throws(() => fromGoMysqlDsn(dsn), { code: "HF_OPTION", message });
  });
}

test("M5: no error of a DSN shows a piece of its password", () => {
  // Every way in which a password with these characters can be cut in the wrong place.
  const spoilers = [
    "/",
    "?",
    "@",
    ":",
    "(",
    ")",
    "&",
    "=",
    "%",
    "/?tls=",
    "/?parseTime=",
    "/x?",
    "@tcp(",
    "/?x=",
  ];
  let thrown = 0;
  for (const one of spoilers) {
    for (const two of spoilers) {
      const password = `SECRET${one}SECRET${two}SECRET`;
      for (const dsn of [
        `u:${password}@tcp(h:1)/db?charset=utf8`,
        `u:${password}@/`,
        `u:${password}/db`,
        `u:${password}`,
      ]) {
        try {
          fromGoMysqlDsn(dsn);
        } catch (error) {
          thrown++;
          assert.doesNotMatch(`${(error as Error).stack} ${JSON.stringify(error)}`, /SECRET/, dsn);
        }
      }
    }
  }
  assert.ok(thrown > 100);
});
