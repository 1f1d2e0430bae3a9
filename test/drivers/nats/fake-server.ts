/** As much of a NATS server as a test of bad behaviour needs: INFO, CONNECT, PING, and what the test adds. */
import { createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

export interface FakeServer {
  readonly url: string;
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: () => number;
  readonly open: ReadonlySet<Socket>;
  /** Every line received, over all connections. */
  readonly lines: string[];
  close(): Promise<void>;
}

export interface FakeBehaviour {
  /** Fields added to INFO; `false` = says nothing at all. */
  readonly info?: (n: number) => Record<string, unknown> | false;
  /** Answers one line; returns `false` to keep the usual answer from being sent. */
  readonly line?: (line: string, socket: Socket, n: number) => boolean | undefined;
}

/** INFO, with these fields added. */
export function infoLine(fields: object = {}): string {
  const usual = { server_id: "FAKE", version: "2.10.0", proto: 1, headers: true, max_payload: 1_048_576 };
  return `INFO ${JSON.stringify({ ...usual, ...fields })}\r\n`;
}

/** Says INFO to every client, now. */
export function sayInfo({ open }: Pick<FakeServer, "open">, fields: object = {}): void {
  for (const socket of open) socket.write(infoLine(fields));
}

/** Listens on a loopback port until the end of the test. `n` counts connections from 1. */
export async function fakeNats(t: TestContext, behaviour: FakeBehaviour = {}, port = 0): Promise<FakeServer> {
  const open = new Set<Socket>();
  const lines: string[] = [];
  let accepted = 0;
  const server: Server = createServer((socket) => {
    const n = ++accepted;
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => {});
    const extra = behaviour.info?.(n);
    if (extra === false) return;
    socket.write(infoLine(extra));
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        lines.push(line);
        if (behaviour.line?.(line, socket, n) !== false && line === "PING") socket.write("PONG\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as { port: number };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
    });
    return closing;
  };
  t.after(close);
  return {
    url: `nats://127.0.0.1:${address.port}`,
    port: address.port,
    accepted: () => accepted,
    open,
    lines,
    close,
  };
}
