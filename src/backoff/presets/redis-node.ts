import type { Random } from "../../time/index.ts";
import { linear } from "../curves.ts";
import { immediately } from "../sequence.ts";
import { byIndex } from "../unfold.ts";
import { type Preset, preset } from "./preset.ts";

const ioredis = { baseMs: 50, capMs: 5000, jitterMs: 200 };
const nodeRedis = { baseMs: 50, capMs: 2000, jitterMs: 200 };
const ioredis5 = { stepMs: 50, capMs: 2000 };

/** min(base·2ⁿ, cap) + a whole 0…jitter − 1 ms. */
function doubling({ baseMs, capMs, jitterMs }: typeof ioredis, n: number, random: Random): number {
  return Math.min(2 ** n * baseMs, capMs) + Math.floor(random.next() * jitterMs);
}

export const redisNodePresets: readonly Preset[] = [
  preset({
    name: "ioredis",
    describe: "6.x: 50 ms doubled to 5 s, plus 0…199 ms; for ever",
    source: "ioredis 6.0.0 built/redis/RedisOptions.js retryStrategy; dial times measured",
    constants: ioredis,
    backoff: byIndex("ioredis 50 ms ×2, cap 5 s; + up to 200 ms", (n, random) =>
      doubling(ioredis, n, random),
    ),
  }),
  preset({
    name: "ioredis-5",
    describe: "5.x: 50, 100, 150 ms … 2 s, no jitter; for ever",
    source: "redis/ioredis v5 README and RedisOptions.ts; changed by PR #2160",
    constants: ioredis5,
    backoff: linear({ baseMs: ioredis5.stepMs, capMs: ioredis5.capMs }),
  }),
  preset({
    name: "node-redis",
    describe:
      "at once (the strategy's first answer is ignored, so a herd's first dial is not jittered), then 100 ms doubled to 2 s plus 0…199 ms; for ever",
    source: "redis 6.3.1 @redis/client socket.js; dial times measured",
    constants: nodeRedis,
    backoff: immediately(
      byIndex("node-redis 100 ms ×2, cap 2 s; + up to 200 ms", (n, random) =>
        doubling(nodeRedis, n + 1, random),
      ),
    ),
  }),
];
