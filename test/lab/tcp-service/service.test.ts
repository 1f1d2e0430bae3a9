import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import fc from "fast-check";
import { generate } from "selfsigned";
import {
  ackedId,
  encodePing,
  encodeWrite,
  isPong,
  ServiceLedger,
  startTcpService,
  type TcpService,
  type TcpServiceOptions,
} from "../../../src/lab/index.ts";
import { serveLedger } from "../../../src/lab/tcp-service/session.ts";
import { WireReader } from "../../../src/lab/tcp-service/wire.ts";
import { checkLeaks } from "../../support/leaks.ts";

/** A bare client: keeps what it got, and tells how its connection ended. */
class Client {
  readonly socket: Socket;
  readonly ended: Promise<string>;
  received: Buffer = Buffer.alloc(0);
  #onData = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket;
    let ending = "end";
    socket.on("error", (error: NodeJS.ErrnoException) => {
      ending = error.code ?? error.message;
    });
    this.ended = new Promise((resolve) => socket.once("close", () => resolve(ending)));
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#onData();
    });
  }

  /** The bytes received, once there are that many; fails when the connection ends before. */
  async bytes(count: number): Promise<Buffer> {
    const enough = new Promise<void>((resolve) => {
      this.#onData = () => {
        if (this.received.length >= count) resolve();
      };
      this.#onData();
    });
    const early = this.ended.then((ending) => {
      if (this.received.length < count)
        assert.fail(`${ending} after ${this.received.length} of ${count} bytes`);
    });
    await Promise.race([enough, early]);
    return this.received;
  }
}

async function dial(service: TcpService): Promise<Client> {
  const socket = connect(service.port, service.host);
  const client = new Client(socket);
  await once(socket, "connect");
  return client;
}

/** A service, and one client, both gone after the test with everything else. */
async function pair(
  t: TestContext,
  options?: TcpServiceOptions,
): Promise<{ service: TcpService; client: Client }> {
  const cleanUp = checkLeaks(t);
  const service = await startTcpService(options);
  cleanUp(() => service[Symbol.asyncDispose]());
  return { service, client: await dial(service) };
}

const ackBytes = 9;

describe("the TCP service", () => {
  it("applies a numbered write and acknowledges it", async (t) => {
    const { service, client } = await pair(t);
    client.socket.write(encodeWrite(4_294_967_295, Buffer.from("any payload")));
    assert.equal(ackedId(await client.bytes(ackBytes)), 4_294_967_295);
    assert.deepEqual(service.ledger.ids, [4_294_967_295]);
  });

  it("applies and acknowledges in order, also byte by byte and many in one piece", async (t) => {
    const { service, client } = await pair(t);
    const writes = Buffer.concat([1, 2, 3].map((id) => encodeWrite(id, Buffer.alloc(id * 1_000))));
    client.socket.setNoDelay(true);
    for (const byte of writes.subarray(0, 20)) client.socket.write(Buffer.of(byte));
    client.socket.write(writes.subarray(20));
    const acks = await client.bytes(3 * ackBytes);
    assert.deepEqual(
      [0, 1, 2].map((i) => ackedId(acks.subarray(i * ackBytes, (i + 1) * ackBytes))),
      [1, 2, 3],
    );
    assert.deepEqual(service.ledger.ids, [1, 2, 3]);
  });

  it("counts an id that comes twice", async (t) => {
    const { service, client } = await pair(t);
    client.socket.write(Buffer.concat([encodeWrite(5), encodeWrite(6), encodeWrite(5)]));
    await client.bytes(3 * ackBytes);
    assert.deepEqual([service.ledger.count(5), service.ledger.count(6), service.ledger.count(7)], [2, 1, 0]);
    assert.deepEqual([service.ledger.repeated, service.ledger.total], [[5], 3]);
  });

  it("answers a ping with its body, and applies nothing", async (t) => {
    const { service, client } = await pair(t);
    client.socket.write(encodePing(Buffer.from("who?")));
    const pong = await client.bytes(9);
    assert.equal(isPong(pong), true);
    assert.equal(pong.subarray(5).toString(), "who?");
    assert.equal(service.ledger.total, 0);
  });

  it("can apply without a word, and can reset instead of acknowledging", async (t) => {
    const { service, client } = await pair(t, { afterApply: (id) => (id === 1 ? "silence" : "reset") });
    client.socket.write(encodeWrite(1));
    await service.until("write 1 applied", () => service.ledger.count(1) === 1);
    client.socket.write(encodeWrite(2));
    assert.equal(await client.ended, "ECONNRESET");
    assert.equal(client.received.length, 0);
    assert.deepEqual(service.ledger.ids, [1, 2]);
  });

  it("resets every connection when killed, refuses the next, and comes back with its port and ledger", async (t) => {
    const { service, client } = await pair(t);
    const other = await dial(service);
    client.socket.write(encodeWrite(1));
    await client.bytes(ackBytes);
    const { port } = service;
    await service.kill();
    assert.deepEqual([await client.ended, await other.ended], ["ECONNRESET", "ECONNRESET"]);
    assert.deepEqual([service.liveSockets, service.listening], [0, false]);
    const refused = new Client(connect(port, service.host));
    assert.equal(await refused.ended, "ECONNREFUSED");

    await service.restart();
    assert.equal(service.port, port);
    const again = await dial(service);
    again.socket.write(encodeWrite(1));
    await again.bytes(ackBytes);
    assert.equal(service.ledger.count(1), 2);
    assert.equal(service.acceptedSockets, 3);
  });

  it("counts live sockets, and can reset them without going away", async (t) => {
    const { service, client } = await pair(t);
    const other = await dial(service);
    await service.until("two sockets", () => service.liveSockets === 2);
    other.socket.end();
    await service.until("one socket", () => service.liveSockets === 1);
    assert.equal(await other.ended, "end");
    assert.equal(service.resetConnections(), 1);
    assert.equal(await client.ended, "ECONNRESET");
    assert.equal(service.listening, true);
    await dial(service);
  });

  it("does not apply half a write", async (t) => {
    const { service, client } = await pair(t);
    client.socket.end(encodeWrite(1, Buffer.alloc(100)).subarray(0, 100));
    assert.equal(await client.ended, "end");
    assert.equal(service.ledger.total, 0);
  });

  it("resets a client that speaks something else, and lives on", async (t) => {
    const { service, client } = await pair(t);
    client.socket.write("GET / HTTP/1.1\r\n\r\n");
    assert.equal(await client.ended, "ECONNRESET");
    const short = await dial(service);
    short.socket.write(Buffer.from([1, 0, 0, 0, 1, 7]));
    assert.equal(await short.ended, "ECONNRESET");
    const good = await dial(service);
    good.socket.write(encodeWrite(1));
    assert.equal(ackedId(await good.bytes(ackBytes)), 1);
  });

  it("echoes 1 MiB, and ends when the client has ended", async (t) => {
    const { client } = await pair(t, { mode: "echo" });
    const bytes = Buffer.alloc(1 << 20, "holdfast");
    client.socket.end(bytes);
    assert.equal(await client.ended, "end");
    assert.ok(client.received.equals(bytes));
  });

  it("says what it waited for when a condition does not come", async (t) => {
    const { service } = await pair(t);
    await assert.rejects(
      service.until("pigs to fly", () => false, 1),
      /not within 1 ms: pigs to fly/,
    );
  });

  it("is killed and restarted any number of times, also all at once", async (t) => {
    const { service } = await pair(t);
    for (let i = 0; i < 5; i++) {
      const stops = [service.kill(), service.kill()];
      await Promise.all([...stops, service.restart(), service.restart()]);
      await dial(service);
    }
    assert.equal(service.listening, true);
    await Promise.all([service.kill(), service.restart(), service.kill()]);
    assert.equal(service.listening, false, "the last one asked for wins");
  });

  it("serves TLS, and resets under it", async (t) => {
    const cleanUp = checkLeaks(t);
    const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
      keySize: 2048,
    });
    const service = await startTcpService({ tls: { key, cert } });
    cleanUp(() => service[Symbol.asyncDispose]());
    const secure = connectTls({
      port: service.port,
      host: service.host,
      ca: cert,
      servername: "localhost",
      checkServerIdentity: () => undefined,
    });
    const client = new Client(secure);
    await once(secure, "secureConnect");
    assert.equal(secure.authorized, true);
    secure.write(encodeWrite(9));
    assert.equal(ackedId(await client.bytes(ackBytes)), 9);
    const plain = new Client(connect(service.port, service.host));
    plain.socket.write("no TLS at all");
    await plain.ended;
    await service.kill();
    assert.equal(await client.ended, "ECONNRESET");
  });
});

describe("the service's session", () => {
  it("reads no more from a client that does not read its answers", async () => {
    const written: (() => void)[] = [];
    const stream = new Duplex({
      read() {},
      write: (_chunk, _encoding, done) => void written.push(done),
      writableHighWaterMark: 10,
    });
    const ledger = new ServiceLedger();
    serveLedger(stream, () => assert.fail("reset"), { ledger, afterApply: () => "ack", applied() {} });
    stream.push(Buffer.concat([encodeWrite(1), encodeWrite(2)]));
    await turn();
    stream.push(encodeWrite(3));
    await turn();
    assert.deepEqual(ledger.ids, [1, 2]);
    for (let answers = 0; answers < 3; answers++) {
      assert.equal(written.length, 1, "one answer at a time is on its way");
      written.pop()?.();
      await turn();
    }
    assert.deepEqual(ledger.ids, [1, 2, 3]);
    stream.destroy();
  });
});

describe("the service's reader", () => {
  it("gives back every message, however it is chunked", () => {
    const message = fc.record({ id: fc.nat(0xffff_ffff), payload: fc.uint8Array({ maxLength: 50 }) });
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.nat()), (messages, marks) => {
        const stream = Buffer.concat(messages.map(({ id, payload }) => encodeWrite(id, payload)));
        const ends = [...marks.map((mark) => mark % (stream.length + 1)), stream.length].sort(
          (a, b) => a - b,
        );
        const reader = new WireReader();
        const read = ends.flatMap((end, i) => [
          ...reader.read(stream.subarray(i === 0 ? 0 : ends[i - 1], end)),
        ]);
        assert.deepEqual(
          read.map(({ body }) => [body.readUInt32BE(0), body.subarray(4).toString("hex")]),
          messages.map(({ id, payload }) => [id, Buffer.from(payload).toString("hex")]),
        );
      }),
    );
  });
});
