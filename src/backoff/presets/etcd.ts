import { uniform } from "../../time/index.ts";
import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { take } from "../limits.ts";
import { unfold } from "../unfold.ts";
import { grpcBackoff, grpcDefaults } from "./grpc.ts";
import { type Preset, preset } from "./preset.ts";

const unary = { maxUnaryRetries: 100, backoffWaitBetweenMs: 25, backoffJitterFraction: 0.1, endpoints: 3 };

/**
 * clientv3's unary interceptor: the next endpoint at once, but 25 ms ± 10 % after each quorum of attempts;
 * 100 attempts, so 99 delays.
 */
export function etcdUnaryBackoff(endpoints: number = unary.endpoints): Backoff {
  check.number("endpoints", endpoints, { min: 1, integer: true });
  const quorum = Math.floor(endpoints / 2) + 1;
  const { backoffWaitBetweenMs: waitMs, backoffJitterFraction: jitter } = unary;
  const delays = unfold(`etcd unary, 25 ms after every ${quorum}`, 1, (attempt, random) => {
    const delayMs =
      attempt % quorum === 0 ? uniform(random, waitMs * (1 - jitter), waitMs * (1 + jitter)) : 0;
    return { delayMs, state: attempt + 1 };
  });
  return take(delays, unary.maxUnaryRetries - 1);
}

export const etcdPresets: readonly Preset[] = [
  preset({
    name: "etcd",
    describe: "clientv3's connections, per endpoint: it sets none of its own, so gRPC's (grpc)",
    source: "etcd-io/etcd client/v3 client.go; grpc/grpc doc/connection-backoff.md",
    constants: { ...grpcDefaults },
    backoff: grpcBackoff(),
  }),
  preset({
    name: "etcd-unary",
    describe:
      "clientv3's repeatable calls, three endpoints: 25 ms ± 10 % after every second attempt, else at once; 100 attempts",
    source: "etcd-io/etcd client/v3 retry_interceptor.go, options.go",
    constants: unary,
    backoff: etcdUnaryBackoff(),
  }),
];
