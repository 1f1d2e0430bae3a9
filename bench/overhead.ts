/** What a call of a healthy link costs beside the bare client, against the same server in another process. */
import { once } from "node:events";
import { connect } from "node:net";
import { createClient as createBareClient } from "redis";
import { createClient } from "../src/drivers/redis/index.ts";
import { createTcpClient } from "../src/drivers/tcp/index.ts";
import { startServer } from "../src/lab/index.ts";
import type { Bench } from "./bench.ts";
import { message, startChild } from "./children.ts";
import type { Contender, Opened } from "./contender.ts";
import { bootstrapRandom, interleave, type Rounds, type Side } from "./harness.ts";
import { mysql2Contenders } from "./overhead-mysql2.ts";
import { pgContenders } from "./overhead-pg.ts";
import { pinServer, unpin } from "./pin.ts";
import { figure, type Goal, type Table, withInterval } from "./report.ts";
import { median, pairedRatio, verdict } from "./statistics.ts";

/** So many that a measurement lasts well beyond what follows a garbage collection. */
const ONE_AT_A_TIME = { name: "one at a time", goal: 0.95, ops: 2_000 };

const PIPELINED = { name: "100 at once", goal: 0.9, ops: 5_000, batch: 100 };
/** An interval of the ratio wider than this decides nothing. */
const WIDEST = 0.1;
const ECHO_BYTES = 64;
/** A statement takes about four times as long as a Redis command. */
const SQL_SHARE = 0.25;
const SQL_OPENINGS = 8;

function sides(contenders: readonly Contender[], shape: "one" | "many"): Side[] {
  return contenders.map((contender) => ({
    name: contender.name,
    run: async (ops) => {
      if (shape === "one") for (let i = 0; i < ops; i++) await contender.one();
      else for (let i = 0; i < ops; i += PIPELINED.batch) await contender.many(PIPELINED.batch);
    },
  }));
}

interface Compared {
  /** Of the calls; default all. */
  readonly share?: number;
  /** The least speed one at a time. */
  readonly leastOne?: number;
  /**
   * How many times all connections are opened anew, with a part of the rounds each. Default 1. A SQL server has a
   * process or a thread for each connection, and where the scheduler puts it weighs more than any client.
   */
  readonly openings?: number;
}

async function compare(
  label: string,
  open: () => Promise<Opened>,
  how: Omit<Rounds, "ops">,
  c: Compared = {},
) {
  const { share = 1, leastOne = ONE_AT_A_TIME.goal, openings = 1 } = c;
  const rounds = Math.ceil(how.rounds / openings);
  const shapes = [ONE_AT_A_TIME, PIPELINED];
  /** By shape and contender: ns of each round. */
  const found: number[][][] = shapes.map(() => []);
  let names: string[] = [];
  for (let opening = 0; opening < openings; opening++) {
    const { contenders, end } = await open();
    names = contenders.map(({ name }) => name);
    for (const [i, shape] of shapes.entries()) {
      const all = sides(contenders, shape === PIPELINED ? "many" : "one");
      const ns = await interleave(`${label}, ${shape.name}`, all, { ...how, rounds, ops: shape.ops * share });
      for (const [n, each] of ns.entries()) {
        found[i]![n] = [...(found[i]![n] ?? []), ...each];
      }
    }
    await end();
  }
  const rows: string[][] = [];
  const goals: Goal[] = [];
  const random = bootstrapRandom();
  for (const [i, shape] of shapes.entries()) {
    const goal = shape === ONE_AT_A_TIME ? leastOne : shape.goal;
    const own = found[i]!.at(-1) as number[];
    for (const [n, name] of names.entries()) {
      const each = found[i]![n] as number[];
      // Speed against speed: the inverse of the times.
      const speed = each === own ? undefined : pairedRatio(each, own, random);
      rows.push([
        `${label}, ${shape.name}: ${name}`,
        figure(median(each) / 1e3),
        speed === undefined ? "" : withInterval(speed),
      ]);
      if (speed === undefined) continue;
      goals.push({
        goal: `${label}, ${shape.name}: at least ${goal} of the speed of ${name}`,
        measured: speed,
        unit: "",
        verdict: verdict(speed, { atLeast: goal }, WIDEST),
      });
    }
  }
  return { rows, goals };
}

async function redisContenders(port: number): Promise<Opened> {
  const socket = { host: "127.0.0.1", port };
  const bare = createBareClient({ socket });
  const withoutTimeout = createBareClient({ socket, commandOptions: { timeout: 0 } });
  const own = createClient({ socket });
  const clients = [bare, withoutTimeout, own];
  for (const client of clients) {
    client.on("error", () => {});
    await client.connect();
  }
  await bare.set("key", "a value of twenty b.");
  const contender = (name: string, client: { get(key: string): Promise<unknown> }): Contender => ({
    name,
    one: () => client.get("key"),
    many: (count) => Promise.all(Array.from({ length: count }, () => client.get("key"))),
  });
  return {
    contenders: [
      contender("node-redis at its defaults (5 s timeout: an AbortSignal for each command)", bare),
      contender("node-redis without its timeout", withoutTimeout),
      contender("holdfast/redis at its defaults (the same 5 s deadline)", own),
    ],
    async end() {
      for (const client of clients) client.destroy();
    },
  };
}

/** Counts bytes that come back; one waiter at a time. */
class Echoes {
  #missing = 0;
  #heard: () => void = () => {};

  heard(bytes: number): void {
    this.#missing -= bytes;
    if (this.#missing === 0) this.#heard();
  }

  /** Resolves when as many bytes have come back as `send` is about to send. */
  round(bytes: number, send: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#missing = bytes;
      this.#heard = resolve;
      send();
    });
  }
}

async function tcpContenders(port: number): Promise<Opened> {
  const payload = Buffer.alloc(ECHO_BYTES, "x");
  const contender = (name: string, echoes: Echoes, send: () => void): Contender => ({
    name,
    one: () => echoes.round(ECHO_BYTES, send),
    many: (count) =>
      echoes.round(count * ECHO_BYTES, () => {
        for (let i = 0; i < count; i++) send();
      }),
  });
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const bareEchoes = new Echoes();
  socket.on("data", (chunk) => bareEchoes.heard(chunk.length));
  await once(socket, "connect");
  const client = createTcpClient({ port });
  const ownEchoes = new Echoes();
  client.onMessage = (_channel, chunk) => ownEchoes.heard(chunk.length);
  await client.start();
  return {
    contenders: [
      contender("net.Socket", bareEchoes, () => socket.write(payload)),
      contender("holdfast/tcp", ownEchoes, () => void client.send(payload)),
    ],
    end: async () => {
      socket.destroy();
      await client.close();
    },
  };
}

export const overhead: Bench = {
  title: "a healthy link against the bare client",
  async run({ full }) {
    const how = { rounds: full ? 300 : 80, warmups: 10, collects: false };
    await using server = await startServer("redis");
    const redisFound = await compare("redis GET", () => redisContenders(server.port), how);
    const echo = startChild("./echo-server.js");
    const echoPort = await message<number>(echo);
    const tcpFound = await compare("tcp echo", () => tcpContenders(echoPort), how);
    echo.kill();
    await using postgres = await startServer("postgres");
    const sql: Compared = { share: SQL_SHARE, leastOne: 0.9, openings: SQL_OPENINGS };
    const pinned = await pinServer(postgres.pid);
    const pgFound = await compare("pg SELECT 1", () => pgContenders(postgres.url), how, sql);
    await using mariadb = await startServer("mariadb");
    await pinServer(mariadb.pid);
    const mysql2Found = await compare("mysql2 SELECT 1", () => mysql2Contenders(mariadb.port), how, sql);
    await unpin();
    const table: Table = {
      columns: ["", "µs each", "speed of ours against it"],
      rows: [...redisFound.rows, ...tcpFound.rows, ...pgFound.rows, ...mysql2Found.rows],
    };
    return {
      method: [
        `Redis ${server.version}, value of 20 bytes; PostgreSQL ${postgres.version}, MariaDB ${mariadb.version}; echo of ${ECHO_BYTES} bytes; servers in processes of their own, loopback`,
        `${how.rounds} rounds for each row, in turn: ${ONE_AT_A_TIME.ops} calls one at a time, ${figure(PIPELINED.ops)} at once by ${PIPELINED.batch}; of SQL a quarter, with connections opened anew ${SQL_OPENINGS} times, ${pinned}`,
      ],
      tables: [table],
      goals: [...redisFound.goals, ...tcpFound.goals, ...pgFound.goals, ...mysql2Found.goals],
      notes: [
        "No collection is forced between measurements: it throws compiled code away, and the compiler was measured.",
        "node-redis makes an AbortSignal and a timer for each command at its defaults; our deadline costs neither. Hence both comparisons.",
      ],
    };
  },
};
