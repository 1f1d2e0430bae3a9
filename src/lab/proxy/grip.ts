/** One fault in force, and its hold on each connection. */
import { type Random, seededRandom } from "../../time/index.ts";
import type { ConnectionInfo, Direction, Fault, FaultKind } from "./fault.ts";

/** What a fault has done to one connection. */
export interface Grip {
  /** How many times it changed something. */
  acts: number;
  /** Bytes swallowed, delayed or changed. */
  bytes: number;
}

/** Whoever a fault acts on; `info` is asked for only at the first act. */
export interface Subject {
  readonly id: number;
  info(): ConnectionInfo;
  /** Notes the fault in the connection's own record. */
  noteHit?(label: string): void;
}

type OnFirstAct = (fault: ActiveFault, subject: Subject, direction: Direction | undefined) => void;

export class ActiveFault {
  readonly number: number;
  readonly shape: Fault;
  readonly label: string;
  readonly grips: Map<number, Grip> = new Map();
  readonly #seed: number;
  readonly #onFirstAct: OnFirstAct;
  #taken = 0;

  constructor(number: number, shape: Fault, seed: number, onFirstAct: OnFirstAct) {
    this.number = number;
    this.shape = shape;
    this.label = shape.label ?? `${shape.kind}#${number}`;
    this.#seed = seed;
    this.#onFirstAct = onFirstAct;
  }

  get kind(): FaultKind {
    return this.shape.kind;
  }

  /** Whether this fault takes hold of the connection. To be asked once per connection: `times` counts the answers. */
  takes(connection: ConnectionInfo, isNew: boolean): boolean {
    const { applyTo = "all", connections, filter, probability = 1, times } = this.shape;
    if (applyTo === (isNew ? "existing" : "new")) return false;
    if (connections !== undefined && ![connections].flat().includes(connection.id)) return false;
    if (times !== undefined && this.#taken >= times) return false;
    if (probability < 1 && this.random(connection.id, 0).next() >= probability) return false;
    if (filter && !filter(connection)) return false;
    this.#taken++;
    return true;
  }

  /** Books that the fault changed something for a connection. */
  act(subject: Subject, direction: Direction | undefined, bytes: number): void {
    let grip = this.grips.get(subject.id);
    if (!grip) {
      grip = { acts: 0, bytes: 0 };
      this.grips.set(subject.id, grip);
      subject.noteHit?.(this.label);
      this.#onFirstAct(this, subject, direction);
    }
    grip.acts++;
    grip.bytes += bytes;
  }

  /**
   * Randomness of this fault for one connection: it depends on the seed, the fault's and the connection's number only,
   * so that no other connection or fault can change a verdict.
   */
  random(connection: number, stream: 0 | 1 | 2): Random {
    return seededRandom(mix(mix(mix(this.#seed, this.number), connection), stream));
  }
}

function mix(seed: number, part: number): number {
  let hash = Math.imul(seed ^ part ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ Math.imul(part + 1, 0x27d4eb2f), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
