import assert from "node:assert/strict";
import { test } from "node:test";
import { TcpClient } from "../../../src/drivers/tcp/index.ts";
import { encodeWrite, Growth, startTcpService } from "../../../src/lab/index.ts";
import { framed, quick } from "./support.ts";

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
  const handlesBefore = handles();
  const heap = new Growth();
  for (let round = 0; round <= 1_000; round++) {
    if (round % 50 === 0) await heap.addHeap(round);
    await cycle();
  }
  await service.until("one connection", () => service.liveSockets === 1);
  const handlesAfter = handles();
  assert.ok(tcp.resilience.snapshot().connects >= 1_200);
  assert.ok(handlesAfter <= handlesBefore + 2, `handles ${handlesBefore} → ${handlesAfter}`);
  // A forgotten connection is 4 kB and more.
  assert.ok(heap.perRound() < 1_000, `each reconnect leaves ${heap.perRound()} bytes: ${heap}`);
  assert.deepEqual(service.ledger.repeated, []);
});
