import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromReconnectSetting, type ReconnectSetting } from "../../../src/drivers/tcp/reconnect-setting.ts";
import { seededRandom } from "../../../src/time/index.ts";

/** The first delays, each from the schedule the last one left. */
function delays(setting: ReconnectSetting, count: number): number[] {
  const random = seededRandom(1);
  const found: number[] = [];
  let schedule = fromReconnectSetting(setting).backoff.start();
  for (let attempt = 0; attempt < count; attempt++) {
    const step = schedule.next(random, { attempt, elapsedMs: 0 });
    assert.ok(!("exhausted" in step), `exhausted after ${attempt} delays`);
    found.push(step.delayMs);
    schedule = step.schedule;
  }
  return found;
}

describe("libhv's reconn_setting_t", () => {
  it("grows from fast to slow by default, as L8 advises, without a limit", () => {
    assert.deepEqual(delays({}, 8), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    assert.equal(fromReconnectSetting().maxAttempts, Infinity);
  });

  // Delays measured on libhv built from source, min 100 max 1000.
  for (const [delay_policy, measured] of [
    [0, [100, 100, 100, 100, 100]],
    [1, [100, 200, 300, 400, 500]],
    [2, [100, 200, 400, 800, 1_000]],
    [3, [100, 300, 900, 1_000, 1_000]],
  ] as const) {
    it(`follows delay_policy ${delay_policy}`, () => {
      assert.deepEqual(delays({ min_delay: 100, max_delay: 1_000, delay_policy }, 5), measured);
    });
  }

  it("lets max_delay win over a larger min_delay, as measured", () => {
    assert.deepEqual(delays({ min_delay: 500, max_delay: 200 }, 2), [200, 200]);
  });

  it("counts max_retry_cnt, with C's INFINITE for no limit", () => {
    assert.equal(fromReconnectSetting({ max_retry_cnt: 5 }).maxAttempts, 5);
    assert.equal(fromReconnectSetting({ max_retry_cnt: 0 }).maxAttempts, 0);
    assert.equal(fromReconnectSetting({ max_retry_cnt: 0xffff_ffff }).maxAttempts, Infinity);
    assert.equal(fromReconnectSetting({ max_retry_cnt: Infinity }).maxAttempts, Infinity);
  });

  it("accepts a freshly reset struct", () => {
    assert.equal(fromReconnectSetting({ cur_delay: 0, cur_retry_cnt: 0 }).maxAttempts, Infinity);
  });

  const bad: ReadonlyArray<readonly [setting: unknown, ...words: RegExp[]]> = [
    [{ min_delay: -1 }, /reconnect\.min_delay/, /from 0 to 4294967295/],
    [{ min_delay: 1.5 }, /reconnect\.min_delay/],
    [{ max_delay: 4_294_967_296 }, /reconnect\.max_delay/],
    [{ max_delay: "1000" }, /reconnect\.max_delay/, /1000/],
    [{ delay_policy: -2 }, /reconnect\.delay_policy/],
    [{ max_retry_cnt: -1 }, /reconnect\.max_retry_cnt/, /Infinity/],
    [{ max_retry_cnt: Number.NaN }, /reconnect\.max_retry_cnt/],
    [{ cur_delay: 400 }, /reconnect\.cur_delay/, /state/],
    [{ cur_retry_cnt: 1 }, /reconnect\.cur_retry_cnt/, /state/],
    [{ minDelay: 5 }, /did you mean "min_delay"/],
    [{ max_retry_count: 5 }, /did you mean "max_retry_cnt"/],
    [5, /"reconnect"/],
  ];
  for (const [setting, ...words] of bad) {
    it(`refuses ${JSON.stringify(setting)}`, () => {
      assert.throws(
        () => fromReconnectSetting(setting as ReconnectSetting),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, "HF_OPTION");
          for (const word of words) assert.match(error.message, word);
          return true;
        },
      );
    });
  }
});
