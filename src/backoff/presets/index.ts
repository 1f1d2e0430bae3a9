import { show } from "../check.ts";
import { suggestion } from "../suggest.ts";
import { awsPresets } from "./aws.ts";
import { brokerPresets } from "./brokers.ts";
import { datastaxJavaPresets } from "./datastax-java.ts";
import { datastaxNodePresets } from "./datastax-node.ts";
import { etcdPresets } from "./etcd.ts";
import { goRedisPresets } from "./go-redis.ts";
import { grpcPresets } from "./grpc.ts";
import { jvmPresets } from "./jvm.ts";
import { libhvPresets } from "./libhv.ts";
import { natsPresets } from "./nats.ts";
import { nsqPresets } from "./nsq.ts";
import { ownPresets } from "./own.ts";
import { pollyPresets } from "./polly.ts";
import type { Preset } from "./preset.ts";
import { redisNodePresets } from "./redis-node.ts";
import { redisPyPresets } from "./redis-py.ts";
import { retryPresets } from "./retries.ts";
import { socketIoPresets } from "./socket-io.ts";
import { sqlServerPresets } from "./sql-server.ts";
import { webPresets } from "./web.ts";

const all: readonly Preset[] = [
  ...ownPresets,
  ...natsPresets,
  ...libhvPresets,
  ...datastaxJavaPresets,
  ...datastaxNodePresets,
  ...sqlServerPresets,
  ...goRedisPresets,
  ...redisPyPresets,
  ...redisNodePresets,
  ...jvmPresets,
  ...nsqPresets,
  ...grpcPresets,
  ...etcdPresets,
  ...awsPresets,
  ...socketIoPresets,
  ...brokerPresets,
  ...webPresets,
  ...pollyPresets,
  ...retryPresets,
];

/** Every preset by its name. */
export const presets: Readonly<Record<string, Preset>> = Object.freeze(
  Object.fromEntries(all.map((preset) => [preset.name, preset])),
);

/** @throws RangeError when there is none of that name, with the nearest one. */
export function presetNamed(name: string): Preset {
  const found = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (found) return found;
  throw new RangeError(`no backoff preset ${show(name)}${suggestion(name, Object.keys(presets))}`);
}
