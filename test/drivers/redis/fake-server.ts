/** A server that answers RESP commands as a test says: for replies a real one can't be brought to give on cue. */

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface FakeServer extends AsyncDisposable {
  readonly port: number;
  /** Every command received, in order, upper case and without arguments. */
  readonly commands: string[];
  readonly sockets: Set<Socket>;
}

/** What to write; `undefined`: the usual answer (HELLO, CLIENT, PING, SELECT are known; all else is +OK). */
export type Answer = (command: readonly string[], socket: Socket) => string | undefined;

const usual: Readonly<Record<string, string>> = {
  HELLO: "%1\r\n$5\r\nproto\r\n:3\r\n",
  PING: "+PONG\r\n",
};

/** Cuts complete commands off the front of `text`. */
function* commandsOf(buffer: { text: string }): Generator<string[]> {
  for (;;) {
    const head = /^\*(\d+)\r\n/.exec(buffer.text);
    if (head === null) return;
    const words: string[] = [];
    let at = head[0].length;
    for (let i = 0; i < Number(head[1]); i++) {
      const size = /^\$(\d+)\r\n/.exec(buffer.text.slice(at));
      if (size === null) return;
      at += size[0].length;
      const end = at + Number(size[1]);
      if (buffer.text.length < end + 2) return;
      words.push(buffer.text.slice(at, end));
      at = end + 2;
    }
    buffer.text = buffer.text.slice(at);
    yield words;
  }
}

export async function fakeServer(answer: Answer, greeting = ""): Promise<FakeServer> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    if (greeting !== "") return void socket.end(greeting);
    const buffer = { text: "" };
    socket.on("data", (chunk) => {
      buffer.text += chunk.toString("latin1");
      for (const words of commandsOf(buffer)) {
        const name = String(words[0]).toUpperCase();
        commands.push(name);
        socket.write(answer(words, socket) ?? usual[name] ?? "+OK\r\n");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
