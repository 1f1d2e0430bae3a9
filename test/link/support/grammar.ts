/** The order in which a link may tell things (invariant 2), checked event by event. */
import assert from "node:assert/strict";
import type { EmitEffect } from "../../../src/link/index.ts";

export class Grammar {
  #at: "down" | "attempting" | "up" | "over" = "down";
  #everUp = false;
  #attempt = 0;
  #endpoint = "";
  /** The owner's close of a ready link comes without a cause, and only `closed` may follow. */
  #ending = false;
  #phase = "idle";
  readonly counts: Record<string, number> = {};

  take(event: EmitEffect): void {
    this.counts[event.name] = (this.counts[event.name] ?? 0) + 1;
    assert.notEqual(this.#at, "over", `${event.name} after closed`);
    switch (event.name) {
      case "state":
        assert.equal(event.data.from, this.#phase, "each change begins where the last one ended");
        assert.notEqual(event.data.to, event.data.from);
        this.#phase = event.data.to;
        return;
      case "attempt":
        assert.equal(this.#at, "down");
        assert.ok(!this.#ending);
        assert.ok(
          event.data.attempt === this.#attempt + 1 || (this.#fresh && event.data.attempt === 1),
          "attempts are told in order",
        );
        this.#fresh = false;
        this.#attempt = event.data.attempt;
        this.#endpoint = event.data.endpoint;
        this.#at = "attempting";
        return;
      case "attemptFailed":
        assert.equal(this.#at, "attempting");
        assert.deepEqual([event.data.attempt, event.data.endpoint], [this.#attempt, this.#endpoint]);
        this.#at = "down";
        return;
      case "connected":
      case "reconnected":
        assert.equal(this.#at, "attempting");
        assert.equal(event.name, this.#everUp ? "reconnected" : "connected");
        assert.deepEqual([event.data.attempts, event.data.endpoint], [this.#attempt, this.#endpoint]);
        this.#everUp = true;
        this.#at = "up";
        return;
      case "disconnected":
        assert.equal(this.#at, "up", "one disconnected for each connection");
        this.#at = "down";
        this.#fresh = true;
        this.#ending = event.data.cause === undefined;
        return;
      case "closed":
        assert.notEqual(this.#at, "up", "a ready link is told to be disconnected before it is closed");
        if (this.#ending) assert.ok(["user", "drained", "drain-timeout"].includes(event.data.why));
        this.#at = "over";
        return;
      default:
        return;
    }
  }

  /** Whether counting may begin anew: after a connection that lasted. */
  #fresh = true;

  assertOver(): void {
    assert.equal(this.#at, "over");
    assert.equal(this.#phase, "closed");
    assert.equal(this.counts.closed, 1);
  }
}
