/** Room `backoff`: when to try again. */
export type { Backoff, Schedule, Step, StepContext } from "./backoff.ts";
export { type BoundedExponentialOptions, boundedExponential } from "./bounded.ts";
export { cap, floor, minimum } from "./bounds.ts";
export {
  constant,
  type ExponentialOptions,
  exponential,
  type FibonacciOptions,
  fibonacci,
  type LinearOptions,
  linear,
} from "./curves.ts";
export { type DecorrelatedOptions, decorrelated } from "./decorrelated.ts";
export { fromFunction, list } from "./given.ts";
export { type Hazard, hazards, SAFE_DELAY_MS, tooFast } from "./hazards.ts";
export {
  type AdditiveOptions,
  additiveJitter,
  equalJitter,
  fullJitter,
  type Jitter,
  type ProportionalOptions,
  proportionalJitter,
  withJitter,
} from "./jitter.ts";
export { take, within } from "./limits.ts";
export { warnOfLowDelay } from "./low-delay.ts";
export { type AwsOptions, awsDecorrelatedBackoff } from "./presets/aws.ts";
export { type DatastaxOptions, datastaxJavaBackoff, datastaxJavaCorrected } from "./presets/datastax-java.ts";
export {
  type DatastaxNodeOptions,
  datastaxNodeBackoff,
  datastaxNodeCorrected,
} from "./presets/datastax-node.ts";
export { etcdUnaryBackoff } from "./presets/etcd.ts";
export { type GoRedisOptions, goRedisBackoff, goRedisCorrected } from "./presets/go-redis.ts";
export { type GrpcOptions, grpcBackoff, grpcJsBackoff } from "./presets/grpc.ts";
export { presetNamed, presets } from "./presets/index.ts";
export { type LibhvOptions, libhvBackoff } from "./presets/libhv.ts";
export { type NatsOptions, natsGoBackoff, natsJsBackoff } from "./presets/nats.ts";
export {
  type NsqOptions,
  nsqBackoff,
  nsqFullJitterBackoff,
  nsqFullJitterCorrected,
} from "./presets/nsq.ts";
export {
  type DecorrelatedV2Options,
  decorrelatedV2Backoff,
  decorrelatedV2Corrected,
} from "./presets/polly.ts";
export type { Preset } from "./presets/preset.ts";
export { type RedisPyOptions, redisPyBackoff, redisPyCorrected } from "./presets/redis-py.ts";
export { type SqlServerOptions, sqlServerBackoff } from "./presets/sql-server.ts";
export { concat, immediately } from "./sequence.ts";
export { type SpreadExponentialOptions, spreadExponential } from "./spread.ts";
export { suggestion } from "./suggest.ts";
export { type PlannedAttempt, type Timeline, timeline } from "./timeline.ts";
export { LONGEST_DELAY_MS } from "./unfold.ts";
export { formatMs } from "./units.ts";
