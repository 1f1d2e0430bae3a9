import { exponential } from "../curves.ts";
import { type Preset, preset } from "./preset.ts";

const lettuce = { baseMs: 1, factor: 2, upperMs: 30_000 };
const hikari = { baseMs: 10, factor: 2, capMs: 5000 };

export const jvmPresets: readonly Preset[] = [
  preset({
    name: "lettuce",
    describe: "ConnectionWatchdog's default: 1 ms doubled to 30 s, no jitter, for ever",
    source: "redis/lettuce 7.8 core/resource/ExponentialDelay.java",
    constants: lettuce,
    backoff: exponential({ baseMs: lettuce.baseMs, capMs: lettuce.upperMs }),
  }),
  preset({
    name: "hikaricp",
    describe:
      "the pool's connection creator: 10 ms doubled to 5 s, no jitter, as long as a connection is needed",
    source: "brettwooldridge/HikariCP 6.0.1 pool/HikariPool.java, PoolEntryCreator",
    constants: hikari,
    backoff: exponential({ baseMs: hikari.baseMs, capMs: hikari.capMs }),
  }),
];
