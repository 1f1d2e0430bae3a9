/** Knex, Drizzle and Kysely through kill -9 and restart, with one import or one option changed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable, varchar } from "drizzle-orm/pg-core";
import knex from "knex";
import { Kysely, PostgresDialect, sql } from "kysely";
import * as holdfast from "../../../src/drivers/pg/index.ts";
import { type Rig, rigFor } from "./rig.ts";

/** What each builder has to do, in its own words. */
interface Builder {
  insert(id: number, name: string): PromiseLike<unknown>;
  names(): Promise<string[]>;
  /** Inserts in a transaction, which fails when asked to. */
  transaction(id: number, name: string, fail: boolean): Promise<unknown>;
  close(): Promise<unknown>;
}

async function survives(rig: Rig, builder: Builder): Promise<void> {
  await (await rig.bare()).query("CREATE TABLE people (id int PRIMARY KEY, name varchar(20))");
  await builder.insert(1, "ann");
  await builder.transaction(2, "bob", false);
  await assert.rejects(builder.transaction(3, "eve", true), /on purpose/);
  await rig.server.kill9();
  const waiting = builder.names();
  await rig.server.restart();
  assert.deepEqual(await waiting, ["ann", "bob"]);
  await builder.insert(4, "dan");
  await rig.server.kill9();
  await rig.server.restart();
  await builder.transaction(5, "fay", false);
  await assert.rejects(builder.transaction(6, "gus", true), /on purpose/);
  assert.deepEqual(await builder.names(), ["ann", "bob", "dan", "fay"]);
  await builder.close();
}

test("Kysely over our pool survives kill -9 and restart", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const dialect = new PostgresDialect({ pool: rig.pool() });
  const db = new Kysely<{ people: { id: number; name: string } }>({ dialect });
  await survives(rig, {
    insert: (id, name) => db.insertInto("people").values({ id, name }).execute(),
    names: async () => {
      const rows = await db.selectFrom("people").select("name").orderBy("id").execute();
      return rows.map(({ name }) => name);
    },
    transaction: (id, name, fail) =>
      db.transaction().execute(async (trx) => {
        await trx.insertInto("people").values({ id, name }).execute();
        await sql`SELECT 1`.execute(trx);
        if (fail) throw new Error("on purpose");
      }),
    close: () => db.destroy(),
  });
});

test("Drizzle over our pool survives kill -9 and restart", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  const people = pgTable("people", { id: integer().primaryKey(), name: varchar({ length: 20 }) });
  const db = drizzle({ client: pool });
  await survives(rig, {
    insert: (id, name) => db.insert(people).values({ id, name }),
    names: async () => (await db.select().from(people).orderBy(people.id)).map(({ name }) => name ?? ""),
    transaction: (id, name, fail) =>
      db.transaction(async (tx) => {
        await tx.insert(people).values({ id, name });
        await tx.select().from(people).where(eq(people.id, id));
        if (fail) throw new Error("on purpose");
      }),
    close: () => pool.end(),
  });
});

type Knex = ReturnType<typeof knex>;

function ofKnex(db: Knex): Builder {
  return {
    insert: (id, name) => db("people").insert({ id, name }),
    names: async () => (await db("people").select("name").orderBy("id")).map(({ name }) => name as string),
    transaction: (id, name, fail) =>
      db.transaction(async (trx) => {
        await trx("people").insert({ id, name });
        await trx.raw("SELECT 1");
        if (fail) throw new Error("on purpose");
      }),
    close: () => db.destroy(),
  };
}

test("Knex over our pool survives kill -9 and restart", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  // Knex takes a pool of the library's as its own; its types do not say so yet.
  const db = knex({ client: "pg", connectionPool: rig.pool() } as object);
  t.after(() => db.destroy());
  await survives(rig, ofKnex(db));
});

test("Knex with a pool of its own over our clients survives kill -9 and restart", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const { default: Dialect } = (await import("knex/lib/dialects/postgres/index.js" as string)) as {
    default: typeof knex.Client;
  };
  class Holdfast extends Dialect {
    _driver(): unknown {
      return holdfast;
    }
  }
  const db = knex({ client: Holdfast, connection: { ...rig.where, resilience: rig.quick } as object });
  t.after(() => db.destroy());
  await survives(rig, ofKnex(db));
});
