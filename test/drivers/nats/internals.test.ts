import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolHandler } from "@nats-io/transport-node";
import { isHoldfastError } from "../../../src/call/index.ts";
import { checkInternals, checkOutbound, protocolMethods } from "../../../src/drivers/nats/internals.ts";

test("the installed library has everything this driver holds on to", () => {
  checkInternals(ProtocolHandler.prototype);
});

test("a library without one of them is refused by name, before anything is dialled", () => {
  for (const missing of protocolMethods) {
    const other = Object.fromEntries(
      protocolMethods.map((name) => [name, name === missing ? undefined : () => {}]),
    );
    assert.throws(
      () => checkInternals(other),
      (error) => isHoldfastError(error) && error.message.endsWith(`has no ${missing}`),
    );
  }
});

test("a library that collects its commands in another way is refused, too", () => {
  const outbound = { length: () => 0, size: () => 0, fill: () => {} };
  checkOutbound({ outbound, pendingLimit: 1 });
  assert.throws(() => checkOutbound({ pendingLimit: 1 }), /has no length, no size, no fill/);
  assert.throws(() => checkOutbound({ outbound }), /has no pendingLimit/);
});
