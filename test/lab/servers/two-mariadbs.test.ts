import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnection } from "mysql2/promise";
import { startServer } from "../../../src/lab/index.ts";
import { withServer } from "../../support/servers.ts";

test("a second MariaDB that starts leaves the temporary tables of the first one alone", async (t) => {
  const server = await withServer(t, "mariadb");
  if (server === undefined) return;
  const connection = await createConnection(server.url.replace("mariadb:", "mysql:"));
  t.after(() => connection.destroy());
  await connection.query("CREATE TEMPORARY TABLE kept (n INT) ENGINE=Aria");
  await connection.query("INSERT INTO kept VALUES (7)");
  await using _second = await startServer("mariadb");
  assert.deepEqual((await connection.query("SELECT n FROM kept"))[0], [{ n: 7 }]);
  await connection.query("DROP TEMPORARY TABLE kept"); // 1051, unknown table, when its files are gone
});
