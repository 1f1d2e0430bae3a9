import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { isHoldfastError } from "../../../src/call/index.ts";
import { createClient } from "../../../src/drivers/redis/index.ts";

function refusal(options: object): Error {
  try {
    createClient(options as never);
  } catch (error) {
    assert.ok(isHoldfastError(error), `${inspect(error)} is none of ours`);
    assert.equal(error.code, "HF_OPTION");
    return error;
  }
  assert.fail(`${inspect(options)} was accepted`);
}

const cases: [object, RegExp][] = [
  [{ urll: "x" }, /unknown option "urll"; did you mean "url"\?/],
  [{ socket: { prot: 1 } }, /unknown option "socket.prot"; did you mean "port"\?/],
  [{ socket: { conectTimeout: 1 } }, /did you mean "connectTimeout"\?/],
  [{ socket: { port: -1 } }, /option "socket.port" is -1, but must be a whole number from 1 to 65535/],
  [{ socket: { port: 70_000 } }, /from 1 to 65535/],
  [{ socket: { connectTimeout: -5 } }, /socket.connectTimeout/],
  [{ socket: { reconnectStrategy: "soon" } }, /socket.reconnectStrategy/],
  [{ database: -1 }, /option "database" is -1/],
  [{ database: "one" }, /option "database"/],
  [{ commandsQueueMaxLength: -1 }, /commandsQueueMaxLength/],
  [{ pingInterval: -1 }, /pingInterval/],
  [{ disableOfflineQueue: "yes" }, /true or false/],
  [{ url: "http://localhost" }, /must be redis:\/\//],
  [{ url: "redis://localhost/first" }, /the path must be the number of a database/],
  [{ url: "redis://localhost:99999" }, /its port 99999 is not from 1 to 65535/],
  [{ url: "redis://u:a%b@localhost" }, /a % in user or password must be written %25/],
  [{ url: 7 }, /option "url" is 7/],
];
for (const [options, message] of cases)
  test(`refused before anything is dialled: ${inspect(options)}`, () => {
    assert.match(refusal(options).message, message);
  });

test("what the library knows is accepted, and what it alone may know is left to it", () => {
  const options = { url: "redis://u:p%40@127.0.0.1:6380/3", socket: { noDelay: true }, fromTheFuture: 1 };
  assert.ok(createClient(options as never));
  assert.ok(createClient());
});

test("no password is in any part of an error about a URL", () => {
  const secret = "s3kr3tpassw0rd";
  const text = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      for (const url of [
        `redis://${a}:${secret}@${b}:99999${c}`,
        `redis://u:${secret}@host:${c}`,
        `http://u:${secret}@h`,
      ]) {
        try {
          createClient({ url });
        } catch (error) {
          assert.ok(!inspect(error, { depth: 9 }).includes(secret), inspect(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});
