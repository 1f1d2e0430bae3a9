/** Proof that a test left nothing behind: no socket, server, timer, pipe, child or worker that was not there before. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { until } from "./until.ts";

/** How long a resource may take to go away after the test's own clean-up. Closing is done by the event loop. */
const graceMs = 2_000;

function counted(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (!ignored.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Resources of the runner's own output, of the turn we wait with, and of one-shot work in the thread pool. */
const ignored = new Set(["TTYWrap", "PipeWrap", "Immediate", "FSReqCallback", "FSReqPromise", "CloseReq"]);

function beyond(before: Map<string, number>, now: Map<string, number>): string[] {
  const more: string[] = [];
  for (const [kind, count] of now) {
    const extra = count - (before.get(kind) ?? 0);
    if (extra > 0) more.push(`${extra} × ${kind}`);
  }
  return more;
}

/**
 * To be called first in a test: fails it if, after everything else in its teardown, it leaves a socket (also an
 * unref'd one), a timer, or any other handle. `after` hooks run in order of registration: so pass the clean-up of what
 * the test opens to the returned function, or end it in the test's body.
 */
export function checkLeaks(t: TestContext): (cleanUp: () => unknown) => void {
  const before = counted();
  const sockets = new Set<Socket>();
  const note = (message: unknown): void => {
    sockets.add((message as { socket: Socket }).socket);
  };
  subscribe("net.client.socket", note);
  subscribe("net.server.socket", note);
  const cleanUps: (() => unknown)[] = [];
  t.after(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
    unsubscribe("net.client.socket", note);
    unsubscribe("net.server.socket", note);
    const open = (): string[] => [
      ...[...sockets].filter((socket) => !socket.closed).map((socket) => `socket ${socket.localPort ?? "?"}`),
      ...beyond(before, counted()),
    ];
    await until("the end of all of it", graceMs, () => open().length === 0).catch(() => {});
    assert.deepEqual(open(), [], "left behind by the test");
  });
  return (cleanUp) => void cleanUps.push(cleanUp);
}
