/** `SELECT 1` through our pool, beside the bare client and the library's own pool. */
import bare from "pg";
import { Pool } from "../src/drivers/pg/index.ts";
import type { Contender, Opened } from "./contender.ts";

const max = 10;

export async function pgContenders(connectionString: string): Promise<Opened> {
  const client = new bare.Client({ connectionString });
  await client.connect();
  const theirs = new bare.Pool({ connectionString, max });
  const ours = new Pool({ connectionString, max });
  const contender = (name: string, from: { query(sql: string): Promise<unknown> }): Contender => ({
    name,
    one: () => from.query("SELECT 1"),
    many: (count) => Promise.all(Array.from({ length: count }, () => from.query("SELECT 1"))),
  });
  return {
    contenders: [
      contender("pg.Client, one connection", client),
      contender(`pg.Pool, ${max} connections`, theirs),
      contender(`holdfast/pg Pool, ${max} connections`, ours),
    ],
    async end() {
      await client.end();
      await theirs.end();
      await ours.end();
    },
  };
}
