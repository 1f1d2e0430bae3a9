/** The demo's TCP link: numbered frames, each acknowledged by the embedded service. */
import { HoldfastError } from "../../call/index.ts";
import { createTcpClient, type TcpClient } from "../../drivers/tcp/index.ts";
import {
  ackedId,
  encodePing,
  encodeWrite,
  type FaultProxy,
  faultProxy,
  isPong,
  startTcpService,
} from "../../lab/index.ts";
import { systemClock, type Timer } from "../../time/index.ts";
import type { DemoKind, DemoTerms } from "./link.ts";

/** A silent peer is found within the two together. */
const HEARTBEAT_MS = 500;
const HEARTBEAT_TIMEOUT_MS = 1_000;
/** Its answer is told from that to a heartbeat, which is empty. */
const greeting = encodePing(Buffer.from("hello"));

export const tcp: DemoKind = {
  name: "tcp",
  async start(terms) {
    const service = await startTcpService();
    const proxy = await faultProxy({
      upstream: { host: service.host, port: service.port },
      seed: terms.seed,
    });
    const client = clientFor(proxy, terms);
    const writes = new AcknowledgedWrites(client, terms.writeDeadlineMs);
    const stop = async (): Promise<void> => {
      await client.close();
      await proxy.close();
      await service.kill();
    };
    try {
      await client.start();
    } catch (error) {
      await stop();
      throw error;
    }
    return {
      serverName: "embedded TCP service",
      server: { kill9: () => service.kill(), restart: () => service.restart() },
      proxy,
      resilience: client.resilience,
      write: (id) => writes.write(id),
      isAnswer: () => false,
      applied: async () => new Map(service.ledger.ids.map((id) => [id, service.ledger.count(id)])),
      stop,
    };
  },
};

function clientFor(proxy: FaultProxy, { resilience }: DemoTerms): TcpClient {
  return createTcpClient({
    ...proxy.endpoint,
    framing: { mode: "lengthField" },
    heartbeat: {
      intervalMs: HEARTBEAT_MS,
      payload: encodePing(),
      isReply: (frame) => isPong(frame) && frame.length === encodePing().length,
      timeoutMs: HEARTBEAT_TIMEOUT_MS,
    },
    resilience,
  });
}

interface Open {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly timer: Timer;
  /** The kernel took it: from now on only an acknowledgement can tell what became of it. */
  taken: boolean;
}

/** What an application on plain TCP has to add itself: a write counts when the peer's acknowledgement is here. */
class AcknowledgedWrites {
  readonly #client: TcpClient;
  readonly #deadlineMs: number;
  readonly #open: Map<number, Open> = new Map();
  #greeted: (() => void) | undefined;

  constructor(client: TcpClient, deadlineMs: number) {
    this.#client = client;
    this.#deadlineMs = deadlineMs;
    client.onConnection = (channel) => {
      if (!channel.isConnected()) return this.#lost(channel.error);
      // A connection that was accepted is not yet one that answers: nothing is sent before it has.
      const greeted = new Promise<void>((resolve) => {
        this.#greeted = resolve;
      });
      return channel.write(greeting).then(() => greeted);
    };
    client.onMessage = (_channel, frame) => {
      if (isPong(frame)) this.#greeted?.();
      const id = ackedId(frame);
      if (id !== undefined) this.#end(id)?.resolve();
    };
  }

  write(id: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => this.#end(id)?.reject(unknown("its acknowledgement did not come in time"));
      const open: Open = {
        resolve,
        reject,
        timer: systemClock.setTimer(this.#deadlineMs, late),
        taken: false,
      };
      this.#open.set(id, open);
      this.#client.send(encodeWrite(id), { deadlineMs: this.#deadlineMs }).then(
        () => {
          open.taken = true;
        },
        (error: unknown) => this.#end(id)?.reject(error),
      );
    });
  }

  #lost(cause: unknown): void {
    for (const [id, open] of this.#open) {
      if (open.taken)
        this.#end(id)?.reject(unknown("the connection ended before its acknowledgement", cause));
    }
  }

  #end(id: number): Open | undefined {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.timer.cancel();
    return open;
  }
}

function unknown(why: string, cause?: unknown): HoldfastError {
  return new HoldfastError("HF_LOST", `the write may have been applied: ${why}`, {
    outcome: "maybe-applied",
    step: "reply",
    ...(cause !== undefined && { cause }),
  });
}
