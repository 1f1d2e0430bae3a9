import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { TcpClient } from "../../../src/drivers/tcp/index.ts";
import { encodeWrite, startTcpService } from "../../../src/lab/index.ts";
import { framed, quick } from "./support.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

function heapBytes(): number {
  gc();
  return process.memoryUsage().heapUsed;
}

function handles(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap" || kind === "Timeout")
    .length;
}

test("1,000 reconnects: memory, listeners, sockets and timers stay flat", { timeout: 60_000 }, async () => {
  // Without the usual leak check, which remembers every socket itself; handles are counted here.
  await using service = await startTcpService();
  await using tcp = new TcpClient({
    port: service.port,
    framing: framed,
    keepaliveTimeoutMs: 60_000,
    resilience: { ...quick, backoff: { minMs: 0, baseMs: 1, capMs: 1 }, minDialGapMs: 0 },
  });
  let id = 0;
  let reconnected: () => void = () => {};
  tcp.resilience.on("reconnected", () => reconnected());
  const cycle = async (): Promise<void> => {
    await tcp.send(encodeWrite(id++));
    const back = new Promise<void>((resolve) => {
      reconnected = resolve;
    });
    service.resetConnections();
    await back;
    // The server may not have accepted yet what the kernel already connected.
    await service.until("it at the server", () => service.liveSockets === 1);
  };
  await tcp.start();
  for (let warm = 0; warm < 200; warm++) await cycle();
  const before = { heap: heapBytes(), handles: handles() };
  for (let round = 0; round < 1_000; round++) await cycle();
  await service.until("one connection", () => service.liveSockets === 1);
  const after = { heap: heapBytes(), handles: handles() };
  assert.ok(tcp.resilience.snapshot().connects >= 1_200);
  assert.ok(after.handles <= before.handles + 2, `handles ${before.handles} → ${after.handles}`);
  const grownBytes = after.heap - before.heap;
  // One byte of state kept per reconnect would not show; a forgotten connection (4 kB and more) is 4 MB.
  assert.ok(grownBytes < 1_000_000, `the heap grew by ${grownBytes} bytes`);
  assert.deepEqual(service.ledger.repeated, []);
});
