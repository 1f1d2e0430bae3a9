/**
 * Heap of an idle link beyond that of its socket. Server and clients are processes of their own: what is measured is
 * a client process with nothing in it but the links.
 */
import { once } from "node:events";
import type { Bench } from "./bench.ts";
import { message, startChild } from "./children.ts";
import { bootstrapRandom, progress } from "./harness.ts";
import { figure, withInterval } from "./report.ts";
import { median, pairedDifference, verdict } from "./statistics.ts";

const WANTED = 10_000;
const GOAL_BYTES = 4_096;
const WIDEST_BYTES = 1_024;
/** Descriptors a process needs beside its sockets. */
const SPARE_FILES = 200;

const kinds = ["socket", "raw", "tcp", "node-redis", "redis"] as const;
/** Those the goal is about: what a link costs. A Redis client is mostly the library's own. */
const judged = ["raw", "tcp"] as const;
type Kind = (typeof kinds)[number];

const titles: Readonly<Record<Kind, string>> = {
  socket: "net.Socket alone",
  raw: "link over a net.Socket (the engine alone)",
  tcp: "holdfast/tcp",
  "node-redis": "node-redis",
  redis: "holdfast/redis: the library's client as a shell, and one for the connection",
};

interface Usage {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

/** Open files this process may have: the limit on connections. */
function fileLimit(): number {
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft?: unknown } } }
    | undefined;
  const soft = report?.userLimits?.open_files?.soft;
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft ?? Number.NaN);
}

async function usageOf(kind: Kind, port: number, count: number): Promise<Usage> {
  const client = startChild("./idle-client.js", kind, String(port), String(count));
  try {
    return await message<Usage>(client);
  } finally {
    const exited = once(client, "exit");
    client.send("end");
    await exited;
  }
}

export const idle: Bench = {
  title: "memory of an idle link beyond its bare socket",
  async run({ full }) {
    const limit = fileLimit();
    const count = Number.isNaN(limit) ? 1_000 : Math.min(WANTED, Math.floor(limit - SPARE_FILES));
    const rounds = full ? 7 : 3;
    const server = startChild("./idle-server.js");
    const found: Record<Kind, Usage[]> = { socket: [], raw: [], tcp: [], "node-redis": [], redis: [] };
    try {
      const port = await message<number>(server);
      for (let round = 0; round < rounds; round++) {
        for (const kind of kinds) {
          progress(`idle: round ${round} of ${rounds}, ${kind}`);
          found[kind].push(await usageOf(kind, port, count));
        }
      }
    } finally {
      server.kill();
    }
    const random = bootstrapRandom();
    const each = (kind: Kind, what: keyof Usage) => found[kind].map((usage) => usage[what] / count);
    const beyond = (kind: Kind, what: keyof Usage) =>
      pairedDifference(each(kind, what), each("socket", what), random);
    const goals = judged.map((kind) => {
      const measured = beyond(kind, "heapBytes");
      return {
        goal: `${titles[kind]}: at most ${GOAL_BYTES} bytes of heap beyond the bare socket`,
        measured,
        unit: "bytes",
        verdict: verdict(measured, { atMost: GOAL_BYTES }, WIDEST_BYTES),
      };
    });
    return {
      method: [
        `${figure(count)} idle connections; server and each kind of client in processes of their own; ${rounds} rounds`,
        "heap = V8's used heap plus external memory after full collections, less that of the process before",
      ],
      tables: [
        {
          columns: ["connection", "heap bytes", "beyond the socket", "RSS bytes", "beyond the socket"],
          rows: kinds.map((kind) => [
            titles[kind],
            figure(median(each(kind, "heapBytes"))),
            kind === "socket" ? "" : withInterval(beyond(kind, "heapBytes")),
            figure(median(each(kind, "rssBytes"))),
            kind === "socket" ? "" : withInterval(beyond(kind, "rssBytes")),
          ]),
        },
      ],
      goals,
      notes:
        count < WANTED
          ? [`${figure(WANTED)} connections were wanted; the limit of open files (ulimit -n) is ${limit}`]
          : [],
    };
  },
};
