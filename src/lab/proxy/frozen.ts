/**
 * A port whose owner is frozen. Node accepts whatever arrives as soon as its loop turns, so the listening is done by a
 * worker thread that blocks in `Atomics.wait` right after `listen`: the kernel goes on completing handshakes until the
 * backlog is full, and drops every SYN after that.
 */
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import type { Clock } from "../../time/index.ts";
import type { FrozenOrder } from "./frozen-order.ts";

/** Linux completes backlog + 1 handshakes. */
const fillers = 2;
/** A connect on loopback takes far less; one that is not done by then found the backlog full, by other clients. */
const fillMs = 100;

export class FrozenListener {
  readonly #worker: Worker;
  readonly #gate: Int32Array;
  readonly #fillers: Socket[] = [];

  private constructor(worker: Worker, gate: Int32Array) {
    this.#worker = worker;
    this.#gate = gate;
  }

  /** With `full` the backlog is taken up, so that clients hang in SYN_SENT; else their connects succeed. */
  static async start(options: {
    host: string;
    port: number;
    full: boolean;
    clock: Clock;
  }): Promise<FrozenListener> {
    const { host, port, full, clock } = options;
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const order: FrozenOrder = { host, port, backlog: full ? 1 : 511, gate };
    const worker = new Worker(new URL("./frozen-worker.js", import.meta.url), { workerData: order });
    await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    const frozen = new FrozenListener(worker, gate);
    if (full) await frozen.#fill(host, port, clock);
    return frozen;
  }

  /** Lets the worker go. The kernel resets what it had connected. */
  async stop(): Promise<void> {
    for (const socket of this.#fillers) socket.destroy();
    const exited = new Promise((resolve) => this.#worker.once("exit", resolve));
    Atomics.store(this.#gate, 0, 1);
    Atomics.notify(this.#gate, 0);
    await exited;
  }

  async #fill(host: string, port: number, clock: Clock): Promise<void> {
    const settled = Array.from({ length: fillers }, () => {
      const socket = connect({ host, port });
      this.#fillers.push(socket);
      return new Promise<void>((resolve) => {
        const timer = clock.setTimer(fillMs, resolve);
        socket.on("error", () => {});
        socket.once("connect", resolve);
        socket.once("close", resolve);
        socket.once("connect", () => timer.cancel());
        socket.once("close", () => timer.cancel());
      });
    });
    await Promise.all(settled);
  }
}
