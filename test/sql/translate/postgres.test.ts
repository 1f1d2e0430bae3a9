/** PostgreSQL's keyword form and URLs, as gorm's dialect takes them (SOURCES M7). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromPostgresDsn, fromPostgresUrl, type SqlSettings } from "../../../src/sql/index.ts";

function settings(more: Partial<SqlSettings>): SqlSettings {
  return { system: "postgres", endpoints: [{ host: "localhost", port: 5432 }], ...more };
}

test("M7: gorm's example", () => {
  const dsn =
    "host=localhost user=gorm password=gorm dbname=gorm port=9920 sslmode=disable TimeZone=Asia/Shanghai";
  assert.deepEqual(
    fromPostgresDsn(dsn),
    settings({
      endpoints: [{ host: "localhost", port: 9920 }],
      ...{ user: "gorm", password: "gorm", database: "gorm", tls: false },
      sessionVariables: { TimeZone: "Asia/Shanghai" },
    }),
  );
});

const forms: [string, Partial<SqlSettings>][] = [
  ["host=h", { endpoints: [{ host: "h", port: 5432 }] }],
  ["  host = h\n port\t=\t1 ", { endpoints: [{ host: "h", port: 1 }] }],
  [String.raw`password='it\'s = a \\ b' user=x`, { password: String.raw`it's = a \ b`, user: "x" }],
  [String.raw`password=a\ b\'c user=''`, { password: "a b'c" }],
  ["password=a=b", { password: "a=b" }],
  ["user='' dbname=d", { database: "d" }],
  ["user= dbname=d", { user: "dbname=d" }],
  [
    "host=a,b port=1,2",
    {
      endpoints: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
    },
  ],
  [
    "host=a,b port=9",
    {
      endpoints: [
        { host: "a", port: 9 },
        { host: "b", port: 9 },
      ],
    },
  ],
  [
    "host=a,b",
    {
      endpoints: [
        { host: "a", port: 5432 },
        { host: "b", port: 5432 },
      ],
    },
  ],
  ["host=db hostaddr=192.0.2.1", { endpoints: [{ host: "192.0.2.1", port: 5432, serverName: "db" }] }],
  [
    "host=/run/postgresql port=5433",
    { endpoints: [{ host: "", port: 0, path: "/run/postgresql/.s.PGSQL.5433" }] },
  ],
  ["connect_timeout=10", { connectTimeoutMs: 10_000 }],
  ["connect_timeout=1", { connectTimeoutMs: 2_000 }],
  ["connect_timeout=0", {}],
  [
    "keepalives=1 keepalives_idle=30 tcp_user_timeout=5000",
    { keepAlive: true, keepAliveDelayMs: 30_000, writeTimeoutMs: 5_000 },
  ],
  [
    "target_session_attrs=read-write load_balance_hosts=random",
    { serverRole: "read-write", shuffleEndpoints: true },
  ],
  ["application_name=web", { applicationName: "web" }],
  ["fallback_application_name=web", { applicationName: "web" }],
  ["fallback_application_name=lib application_name=web", { applicationName: "web" }],
  ["client_encoding=UTF8 options='-c geqo=off'", { charsets: ["UTF8"], serverOptions: "-c geqo=off" }],
  ["gssencmode=disable channel_binding=prefer replication=false sslsni=1", {}],
  [
    "pool_max_conns=9 pool_min_conns=2 pool_max_conn_lifetime=1h pool_max_conn_idle_time=0s",
    { pool: { max: 9, min: 2, maxLifetimeMs: 3_600_000, maxIdleTimeMs: Number.POSITIVE_INFINITY } },
  ],
  [
    "search_path=app statement_timeout=5s my.setting=x",
    { sessionVariables: { search_path: "app", statement_timeout: "5s", "my.setting": "x" } },
  ],
];
for (const [dsn, expected] of forms) {
  test(`M7: ${dsn}`, () => assert.deepEqual(fromPostgresDsn(dsn), settings(expected)));
}

const tls: [string, SqlSettings["tls"]][] = [
  ["", undefined],
  ["sslmode=disable", false],
  ["sslmode=allow", { verify: "none", fallback: "tls" }],
  ["sslmode=prefer", { verify: "none", fallback: "plain" }],
  ["sslmode=require", { verify: "none" }],
  ["sslmode=no-verify", { verify: "none" }],
  ["sslmode=require sslrootcert=/ca.pem", { verify: "ca", caFile: "/ca.pem" }],
  [
    "sslmode=verify-ca sslrootcert=/ca.pem sslcert=/c sslkey=/k sslpassword=p",
    { verify: "ca", caFile: "/ca.pem", certFile: "/c", keyFile: "/k", keyPassword: "p" },
  ],
  ["sslmode=verify-full ssl_min_protocol_version=TLSv1.3", { verify: "full", minVersion: "TLSv1.3" }],
  ["sslmode=require sslrootcert=system", { verify: "full" }],
  ["ssl=true", { verify: "full" }],
  ["ssl=0", false],
];
for (const [dsn, expected] of tls) {
  test(`M7: TLS: ${dsn}`, () => assert.deepEqual(fromPostgresDsn(`host=x ${dsn}`).tls, expected));
}

const urls: [string, Partial<SqlSettings>][] = [
  ["postgres://", {}],
  ["postgresql:///shop", { database: "shop" }],
  [
    "postgres://ann:p%40%2F%3A@db:6543/my%20shop",
    { user: "ann", password: "p@/:", database: "my shop", endpoints: [{ host: "db", port: 6543 }] },
  ],
  [
    "postgres://ann@h1:1,[::1]:2,h3/d",
    {
      user: "ann",
      database: "d",
      endpoints: [
        { host: "h1", port: 1 },
        { host: "::1", port: 2 },
        { host: "h3", port: 5432 },
      ],
    },
  ],
  [
    "postgres://%2Frun%2Fpg/d",
    { database: "d", endpoints: [{ host: "", port: 0, path: "/run/pg/.s.PGSQL.5432" }] },
  ],
  [
    "postgres:///d?host=/run/pg&port=7",
    { database: "d", endpoints: [{ host: "", port: 0, path: "/run/pg/.s.PGSQL.7" }] },
  ],
  [
    "postgres://a@h/d?user=b&sslmode=require&application_name=x%20y",
    {
      user: "b",
      database: "d",
      endpoints: [{ host: "h", port: 5432 }],
      tls: { verify: "none" },
      applicationName: "x y",
    },
  ],
];
for (const [url, expected] of urls) {
  test(`M7: ${url}`, () => {
    assert.deepEqual(fromPostgresUrl(url), settings(expected));
    assert.deepEqual(fromPostgresDsn(url), settings(expected));
  });
}

const refused: [string, RegExp][] = [
  ["", /it is empty/],
  ["host", /it must be name=value pairs/],
  ["password=my SECRET dbname=x", /name=value pairs after "password"/],
  ["user='unclosed", /name=value pairs/],
  ["host=a port=70000", /option "port" is "70000", but must be a whole number from 1 to 65535/],
  ["host=a,b port=1,2,3", /it has 2 hosts but 3 ports/],
  ["host=a,b hostaddr=::1", /it has 2 in "host" but 1 in "hostaddr"/],
  ["sslmode=maybe", /option "sslmode" is "maybe", but must be one of disable, allow/],
  ["connect_timeout=5s", /option "connect_timeout" is "5s"/],
  ["target_session_attrs=writer", /must be one of any, read-write/],
  ["pool_max_conn_lifetime=1", /a duration with a unit/],
  ["sslmod=disable", /unknown parameter "sslmod".*did you mean "sslmode"/],
  ["service=x", /option "service" is refused/],
  ["require_auth=scram-sha-256", /option "require_auth" is refused/],
  ["channel_binding=require", /option "channel_binding" is refused/],
  ["gssencmode=require", /option "gssencmode" is refused/],
  ["sslcrl=/x", /option "sslcrl" is refused/],
  ["sslnegotiation=direct", /option "sslnegotiation" is refused/],
  ["keepalives_count=3", /option "keepalives_count" is refused/],
  ["statement_cache_capacity=0", /option "statement_cache_capacity" is refused/],
  ["mysql://h/d", /it must be a URL that starts with "postgres:\/\/" or "postgresql:\/\/"/],
  ["postgres://h:x/d", /option "port" is "x"/],
  ["postgres://[::1/d", /a host in it is neither a name nor an address/],
  ["postgres://u:%zz@h/d", /its password holds a "%"/],
];
for (const [dsn, message] of refused) {
  test(`M7: refused: ${dsn}`, () =>
    assert.throws(() => fromPostgresDsn(dsn), { code: "HF_OPTION", message }));
}

test("no error of a URL shows a piece of its password", () => {
  const spoilers = ["/", "?", "@", ":", "#", "&", "=", "%", "[", "]", ",", "?port=", "/x?sslmode="];
  let thrown = 0;
  for (const one of spoilers) {
    for (const two of spoilers) {
      const password = `SECRET${one}SECRET${two}SECRET`;
      for (const url of [`postgres://u:${password}@h:1/db?sslmode=disable`, `postgres://u:${password}@h/`]) {
        try {
          fromPostgresUrl(url);
        } catch (error) {
          thrown++;
          assert.doesNotMatch(`${(error as Error).stack} ${JSON.stringify(error)}`, /SECRET/, url);
        }
      }
    }
  }
  assert.ok(thrown > 50);
});
