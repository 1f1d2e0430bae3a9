/** `mysql://` and `mariadb://` URLs, and URLs of either system. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromMysqlUrl, fromSqlUrl, type SqlSettings } from "../../../src/sql/index.ts";

const urls: [string, Partial<SqlSettings>][] = [
  [
    "mariadb://root@127.0.0.1/test",
    { user: "root", database: "test", endpoints: [{ host: "127.0.0.1", port: 3306 }] },
  ],
  ["mysql://a:p%40b@h:3307", { user: "a", password: "p@b", endpoints: [{ host: "h", port: 3307 }] }],
  [
    "mysql://h1:1,h2,[::1]:3/d",
    {
      database: "d",
      endpoints: [
        { host: "h1", port: 1 },
        { host: "h2", port: 3306 },
        { host: "::1", port: 3 },
      ],
    },
  ],
  [
    "mysql:///d?socketPath=/run/my.sock",
    { database: "d", endpoints: [{ host: "", port: 0, path: "/run/my.sock" }] },
  ],
  [
    "mysql://h/?charset=utf8mb4&connectTimeout=5000&timezone=Z&ssl=true",
    {
      endpoints: [{ host: "h", port: 3306 }],
      charsets: ["utf8mb4"],
      connectTimeoutMs: 5_000,
      timeZone: "UTC",
      tls: { verify: "full" },
    },
  ],
  [
    "mysql://h/?dateStrings=true&multipleStatements=1&compress=false&timezone=%2B09:00",
    {
      endpoints: [{ host: "h", port: 3306 }],
      dates: "text",
      multipleStatements: true,
      compress: false,
      timeZone: "+09:00",
    },
  ],
];
for (const [url, expected] of urls) {
  test(url, () => {
    assert.deepEqual(fromMysqlUrl(url), { system: "mysql", ...expected });
    assert.deepEqual(fromSqlUrl(url), fromMysqlUrl(url));
  });
}

test("a URL of either system, by its scheme; others are refused", () => {
  assert.equal(fromSqlUrl("postgresql://h/d").system, "postgres");
  assert.throws(() => fromSqlUrl("redis://h"), /must start with "mysql:\/\/", "mariadb:\/\/"/);
  assert.throws(
    () => fromMysqlUrl("mysql://h/?charst=x"),
    /unknown parameter "charst".*did you mean "charset"/,
  );
  assert.throws(() => fromMysqlUrl("mysql://h:0/"), /a port in it/);
  assert.throws(
    () => fromMysqlUrl("mysql://u:SEC/RET@h:0/?x=1"),
    (error: Error) => !/SEC|RET/.test(error.message),
  );
  assert.throws(() => fromMysqlUrl("mysql://h/?timezone=Mars"), /option "timezone" is "Mars"/);
});
