/** What becomes of messages published through an outage: here, told, or gone without a word. */
import { connect as bareConnect, type NatsConnection } from "@nats-io/transport-node";
import { connect } from "../src/drivers/nats/index.ts";
import { faultProxy } from "../src/lab/index.ts";
import { systemClock } from "../src/time/index.ts";
import { progress } from "./harness.ts";
import { figure, type Goal } from "./report.ts";

const EVERY_MS = 5;
/** Before the outage, and after it. */
const AROUND_MS = 500;
const GIVE_UP_MS = 30_000;

export const lostColumns: readonly string[] = [
  "outage, client",
  "published",
  "arrived",
  "told as unknown or refused",
  "lost without a word",
];

export const lostMethod = `a message every ${EVERY_MS} ms, from ${AROUND_MS / 1e3} s before the outage until ${AROUND_MS / 1e3} s after the client works again; a subscriber at the server counts`;

interface Side {
  readonly name: string;
  readonly nc: NatsConnection;
  /** Messages the client told about: refused, or of unknown fate. */
  told: number;
}

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => void systemClock.setTimer(ms, () => resolve()));

export async function lostMessages(port: number, outagesS: readonly number[]) {
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const seconds of outagesS) {
    progress(`nats: messages through outages of ${seconds} s`);
    for (const open of [openBare, openOwn]) {
      const { name, published, arrived, told } = await outage(port, seconds * 1e3, open);
      const lost = Math.max(0, published - arrived - told);
      rows.push([`${seconds} s, ${name}`, ...[published, arrived, told, lost].map(figure)]);
      if (open === openBare) continue;
      goals.push({
        goal: `outage of ${seconds} s: nothing is lost without a word`,
        measured: { estimate: lost, low: lost, high: lost },
        unit: "messages",
        verdict: lost === 0 ? "met" : "not met",
      });
    }
  }
  return { rows, goals };
}

async function openBare(servers: string): Promise<Side> {
  return { name: "nats.js", nc: await bareConnect({ servers, maxReconnectAttempts: -1 }), told: 0 };
}

async function openOwn(servers: string): Promise<Side> {
  const nc = await connect({ servers, maxReconnectAttempts: -1 });
  const side: Side = { name: "holdfast/nats", nc, told: 0 };
  nc.resilience.on("unconfirmed", ({ count }) => {
    side.told += count;
  });
  return side;
}

async function outage(port: number, lengthMs: number, open: (servers: string) => Promise<Side>) {
  const witness = await bareConnect({ port });
  const heard = new Set<string>();
  witness.subscribe("bench.lost", { callback: (_error, message) => void heard.add(message.string()) });
  await witness.flush();
  const proxy = await faultProxy({ upstream: { host: "127.0.0.1", port } });
  const side = await open(proxy.address);
  let published = 0;
  let over = false;
  const publishing = (async () => {
    for (; !over; await sleep(EVERY_MS)) {
      published++;
      try {
        side.nc.publish("bench.lost", String(published));
      } catch {
        side.told++;
      }
    }
  })();
  await sleep(AROUND_MS);
  const refused = await proxy.fault({ kind: "refuse" });
  proxy.cut("rst");
  await sleep(lengthMs);
  await refused.undo();
  await worksAgain(side.nc);
  await sleep(AROUND_MS);
  over = true;
  await publishing;
  await side.nc.flush();
  await witness.flush();
  await side.nc.close();
  await witness.close();
  await proxy.close();
  return { name: side.name, published, arrived: heard.size, told: side.told };
}

/** A flush succeeds again; nats.js rejects those of an outage. */
async function worksAgain(nc: NatsConnection): Promise<void> {
  const endMs = systemClock.nowMs() + GIVE_UP_MS;
  while (systemClock.nowMs() < endMs) {
    const ok = await nc.flush().then(
      () => true,
      () => false,
    );
    if (ok) return;
    await sleep(20);
  }
  throw new Error(`the connection did not work again within ${GIVE_UP_MS} ms`);
}
