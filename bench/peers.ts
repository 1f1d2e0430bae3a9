/** The clients compared, at their defaults. Each goes on by itself after a failed first connect. */
import { Redis } from "ioredis";
import { createClient as createBareClient } from "redis";
import { createClient, type RedisClientResilience } from "../src/drivers/redis/index.ts";

export interface PeerClient {
  /** One cheap read. */
  get(): Promise<unknown>;
  close(): void;
}

export interface Peer {
  readonly name: string;
  open(port: number): PeerClient;
}

const nodeRedis: Peer = {
  name: "node-redis",
  open(port) {
    const client = createBareClient({ socket: { host: "127.0.0.1", port } });
    client.on("error", () => {});
    client.connect().catch(() => {});
    return { get: () => client.get("key"), close: () => client.destroy() };
  },
};

const ioredis: Peer = {
  name: "ioredis",
  open(port) {
    const client = new Redis({ host: "127.0.0.1", port });
    client.on("error", () => {});
    return { get: () => client.get("key"), close: () => client.disconnect() };
  },
};

/** `retryInitial` is what the others do of themselves, and only matters before the first connection. */
function holdfast(name: string, resilience: RedisClientResilience): Peer {
  return {
    name,
    open(port) {
      const client = createClient({
        socket: { host: "127.0.0.1", port },
        resilience: { ...resilience, retryInitial: true },
      });
      client.on("error", () => {});
      client.connect().catch(() => {});
      return { get: () => client.get("key"), close: () => client.destroy() };
    },
  };
}

export const holdfastRedis: Peer = holdfast("holdfast/redis", {});

export const holdfastRedisSparing: Peer = holdfast("holdfast/redis (sparing)", {
  backoff: "holdfast-sparing",
});

/** What ours is compared with. */
export const peers: readonly Peer[] = [nodeRedis, ioredis];
