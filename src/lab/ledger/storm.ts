/** Carries a storm out on a proxy and the server behind it. */
import { systemClock } from "../../time/index.ts";
import type { FaultProxy } from "../proxy/index.ts";
import type { StormFault, StormStep } from "./script.ts";

/** What a storm may do to a server; a `RunningServer` is one. */
export interface StormServer {
  /** Ends it without a goodbye; what was acknowledged is on disk. */
  kill9(): Promise<unknown>;
  /** Starts it again on the same port with the same data. */
  restart(): Promise<void>;
  /** Freezes it. Without it, `pause` is played at the proxy: the kernel accepts, nobody answers. */
  pause?(): Promise<void>;
  resume?(): Promise<void>;
}

export interface StormStage {
  readonly proxy: FaultProxy;
  readonly server: StormServer;
}

/** What hears of a storm. */
export interface StormWatcher {
  /** The fault begins right after this returns. */
  cut?(fault: StormFault, step: StormStep): void;
  /** The fault was undone. Resolve when the client works again: only then does the calm begin. */
  undone?(fault: StormFault): Promise<void>;
  /** Calm until the next fault or the end. */
  calm?(ms: number): void;
  /** The calm is over: the next fault comes when this resolves. */
  calmOver?(): Promise<void>;
}

/** Puts one fault in force; the result undoes it. */
export async function strike(fault: StormFault, { proxy, server }: StormStage): Promise<() => Promise<void>> {
  switch (fault) {
    case "rst":
    case "fin":
      proxy.cut(fault);
      return async () => {};
    case "refuse": {
      const refused = await proxy.fault({ kind: "refuse" });
      proxy.cut("rst");
      return () => refused.undo();
    }
    case "black-hole-up":
    case "black-hole-down": {
      const direction = fault === "black-hole-up" ? "up" : "down";
      const hole = await proxy.fault({ kind: "blackHole", direction });
      return () => hole.undo();
    }
    case "accept-then-drop": {
      const drop = await proxy.fault({ kind: "drop" });
      proxy.cut("rst");
      return () => drop.undo();
    }
    case "kill-9":
      await server.kill9();
      return () => server.restart();
    case "pause": {
      if (server.pause === undefined || server.resume === undefined) return frozen(proxy);
      await server.pause();
      return () => server.resume?.() ?? Promise.resolve();
    }
  }
}

/** A frozen server as its clients see it, for servers that live in this process. */
async function frozen(proxy: FaultProxy): Promise<() => Promise<void>> {
  const hole = await proxy.fault({ kind: "blackHole", how: "stop-reading" });
  return () => hole.undo();
}

/**
 * Plays the script. Every fault it put in force is undone when it resolves or rejects, also when `signal` is aborted
 * (it then resolves early).
 */
export async function storm(
  script: readonly StormStep[],
  stage: StormStage,
  watcher: StormWatcher = {},
  signal?: AbortSignal,
): Promise<void> {
  for (const step of script) {
    if (signal?.aborted) return;
    watcher.cut?.(step.fault, step);
    const undo = await strike(step.fault, stage);
    try {
      await rest(step.holdMs, signal);
    } finally {
      await undo();
    }
    await watcher.undone?.(step.fault);
    watcher.calm?.(step.calmMs);
    await rest(step.calmMs, signal);
    await watcher.calmOver?.();
  }
}

/** Resolves after that time, or as soon as the signal is aborted. */
export function rest(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = systemClock.setTimer(ms, done);
    signal?.addEventListener("abort", done);
  });
}
