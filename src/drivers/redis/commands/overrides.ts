/**
 * Where the server's flags say too little, by hand, each group with its reason.
 *
 * The strict meaning of *idempotent* here: sending it twice leaves the state one send (the later one) would have left,
 * and the reply is equivalent. That is why these stay `once`, although their state survives repetition:
 *
 * - DEL, UNLINK, SADD, SREM, HSET, HDEL, ZADD, ZREM, SETBIT, PFADD, XACK, PERSIST …: they reply how much they changed,
 *   and the second reply would deny what the first send did.
 * - EXPIRE and its family: the key may expire, or a past time delete it, between the two sends; the reply turns to 0.
 * - SET with NX, XX, GET or IFEQ, SETNX, HSETNX, MSETNX: the reply tells whether or over what *this* send won.
 * - LSET, LTRIM, LINSERT, LREM: positions mean something else after a push that stood behind them in the pipeline.
 * - FLUSHALL, FLUSHDB: the second would delete what was written after the first.
 * - ZUNIONSTORE, ZINTERSTORE, BITOP, SORT … STORE, ZRANGESTORE: the destination may be a source, and counts twice.
 * - EVAL, FCALL: nobody knows what the script does; EVAL_RO and FCALL_RO are reads.
 */
import type { CallKind, Effect } from "../../../call/index.ts";

export interface Override {
  readonly commands: string;
  readonly effect: Effect;
  /** Default `unary`. */
  readonly kind?: CallKind;
  readonly reason: string;
}

const reads: readonly Override[] = [
  {
    commands: "ping echo time lastsave role info command lolwut",
    effect: "read",
    reason: "asks the server something; not flagged readonly because no key is involved",
  },
  {
    commands: `
      acl|cat acl|dryrun acl|genpass acl|getuser acl|help acl|list acl|users acl|whoami
      client|getname client|getredir client|help client|id client|info client|list client|trackinginfo
      cluster|count-failure-reports cluster|countkeysinslot cluster|getkeysinslot cluster|help cluster|info
      cluster|keyslot cluster|links cluster|myid cluster|nodes cluster|replicas cluster|shards cluster|slaves
      cluster|slots command|count command|docs command|getkeys command|getkeysandflags command|help
      command|info command|list config|get config|help function|dump function|help function|list
      function|stats latency|doctor latency|graph latency|help latency|histogram latency|history
      latency|latest memory|doctor memory|help memory|malloc-stats memory|stats module|help module|list
      object|help pubsub|channels pubsub|help pubsub|numpat pubsub|numsub pubsub|shardchannels
      pubsub|shardnumsub script|exists script|help slowlog|get slowlog|help slowlog|len xgroup|help xinfo|help`,
    effect: "read",
    reason: "administrative questions; flagged admin or nothing, yet they change nothing",
  },
  {
    commands: "cluster|myshardid httl hpttl hexpiretime hpexpiretime",
    effect: "read",
    reason: "commands of Redis 7.2 and later, which the 7.0 server the table is generated from does not know",
  },
];

const idempotents: readonly Override[] = [
  {
    commands: "set mset hmset setex psetex",
    effect: "idempotent",
    reason:
      "overwrites with a given value and replies OK; a relative expiry restarts, as one later send would have it",
  },
  { commands: "setrange", effect: "idempotent", reason: "writes at a fixed offset and replies the length" },
  {
    commands: "sunionstore sinterstore sdiffstore zdiffstore pfmerge",
    effect: "idempotent",
    reason:
      "recomputes the destination and replies its size or OK; a fixed point even when the destination is a source",
  },
  { commands: "script|load", effect: "idempotent", reason: "the same text has the same SHA1" },
  {
    commands: "config|set",
    effect: "idempotent",
    reason: "sets a parameter to a given value and replies OK",
  },
];

const sessions: readonly Override[] = [
  {
    commands: `
      select auth hello readonly readwrite client|setname client|setinfo client|tracking client|no-evict
      client|no-touch`,
    effect: "idempotent",
    kind: "session",
    reason: "changes what the server holds for this connection, to a given value",
  },
  {
    commands: "subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe",
    effect: "idempotent",
    kind: "session",
    reason: "a set of subscriptions of this connection; repeating adds or removes nothing more",
  },
  {
    commands: "client|reply client|caching monitor reset quit script|debug",
    effect: "once",
    kind: "session",
    reason: "changes how this connection is answered from here on",
  },
];

const pinned: readonly Override[] = [
  {
    commands: "multi exec discard watch unwatch",
    effect: "once",
    kind: "pinned",
    reason: "a transaction lives and dies with its connection",
  },
  {
    commands: "asking",
    effect: "once",
    kind: "pinned",
    reason: "speaks of the next command on the same connection",
  },
  {
    commands: "wait waitaof",
    effect: "once",
    kind: "pinned",
    reason:
      "waits for the writes of its own connection: on another it would wait for nothing and report success",
  },
  {
    commands: "sync psync replconf",
    effect: "once",
    kind: "pinned",
    reason: "turns the connection into a replication stream",
  },
];

export const overrides: readonly Override[] = [...reads, ...idempotents, ...sessions, ...pinned];
