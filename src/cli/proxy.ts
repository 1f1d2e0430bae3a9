import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { isHoldfastError } from "../call/index.ts";
import type { FaultProxy, ProxyEventName, ProxyLogEntry } from "../lab/index.ts";
import { Orders, ordersHelp, parseUpstream } from "./proxy-orders.ts";
import { eventLine } from "./proxy-text.ts";

interface ProxyCommandOptions {
  readonly upstream: string;
  readonly port: string;
  readonly fault: readonly string[];
  readonly seed: string;
  readonly ca?: string;
  readonly json?: boolean;
}

const examples = `
${ordersHelp.trim()}

Examples:
  holdfast proxy --upstream 127.0.0.1:6379 --port 7000
  holdfast proxy --upstream 6379 --fault latency:delayMs=50ms,jitterMs=20ms,direction=down
  holdfast proxy --upstream 6379 --fault drop:probability=0.3 --seed 7
  holdfast proxy --upstream 6379 --fault blackHole:how=stop-reading,durationMs=10s --json

Faults: refuse, freeze, drop, maxConnections, blackHole, latency, slowFirstByte, bandwidth, drip, truncate, corrupt,
halfClose, tls. A wrong key or value says what would be right.`;

/** `holdfast proxy`: a proxy that hurts connections, to see what a client makes of it. */
export function proxyCommand(): Command {
  return new Command("proxy")
    .description("put a fault proxy in front of a server, and do to its connections what you like")
    .requiredOption("-u, --upstream <host:port>", "the real server")
    .option("-p, --port <port>", "listen on this port of 127.0.0.1; 0 is any free one", "0")
    .option(
      "-f, --fault <fault>",
      'a fault from the start, as "kind" or "kind:key=value,…"; repeatable',
      gather,
      [],
    )
    .option("--seed <number>", "decides probabilities, jitter and corruption", "1")
    .option("--ca <file>", "write the certificate that clients must trust for tls faults to this file")
    .option("--json", "print one JSON object per event")
    .addHelpText("after", examples)
    .action(async (options: ProxyCommandOptions, command: Command) => {
      try {
        await proxy(options);
      } catch (error) {
        if (!isHoldfastError(error) && !isSystemError(error)) throw error;
        command.error(`error: ${error.message}`, { exitCode: 2 });
      }
    });
}

function gather(one: string, all: readonly string[]): readonly string[] {
  return [...all, one];
}

async function proxy(options: ProxyCommandOptions): Promise<void> {
  const { faultProxy, testAuthority } = await import("../lab/index.ts");
  const authority = options.ca === undefined ? undefined : await testAuthority();
  if (authority && options.ca !== undefined) await writeFile(options.ca, authority.cert);
  const upstream = parseUpstream(options.upstream);
  const given = { upstream, port: Number(options.port), seed: Number(options.seed) };
  await using running = await faultProxy({ ...given, ...(authority && { authority }) });
  const say = (text: string): void =>
    console.log(options.json ? JSON.stringify({ event: "said", text }) : text);
  const orders = new Orders(running);
  for (const fault of options.fault) await orders.fault(fault); // a wrong one is told before anything is announced
  if (options.json) console.log(JSON.stringify({ event: "listening", ...running.endpoint, upstream }));
  else say(`holdfast proxy: ${running.address} → ${options.upstream}; Ctrl-C ends it`);
  const show = (entry: ProxyLogEntry): void =>
    console.log(options.json ? JSON.stringify(entry) : eventLine(entry));
  for (const entry of running.log) show(entry);
  onEvery(running, show);
  await untilTold(orders, say);
}

const events: readonly ProxyEventName[] = [
  ...(["accepted", "opened", "upstreamFailed", "closed", "faultOn", "faultOff"] as const),
  ...(["hit", "cut", "badCertificateAccepted", "listenFailed"] as const),
];

/** Shows each event as it comes: the newest entry of the log is the event being told. */
function onEvery(running: FaultProxy, show: (entry: ProxyLogEntry) => void): void {
  for (const event of events)
    running.on(event, () => {
      const entry = running.log.at(-1);
      if (entry) show(entry);
    });
}

/** Takes orders until "quit", Ctrl-C or SIGTERM. The end of the input is not the end: it may be no terminal. */
async function untilTold(orders: Orders, say: (text: string) => void): Promise<void> {
  const input = createInterface({ input: process.stdin });
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
      input.close();
      process.stdin.destroy();
      resolve();
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
    input.on("line", (line) => {
      orders
        .obey(line)
        .then((answer) => {
          if (answer === "quit") stop();
          else if (answer) say(answer);
        })
        .catch((error: Error) => say(error.message));
    });
  });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}
