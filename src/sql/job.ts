/** A caller's piece of work, as what carries it sees it: a link or a pool. */
import type { CallDescription } from "../call/index.ts";

/** It is its own description: an object less for every statement. */
export interface SqlJob<T> extends CallDescription {
  /** The caller gets what it asked for. */
  succeed(reply: T): void;
  /** The caller gets the error. */
  fail(error: unknown): void;
}

/** How one send ends: by one of the two, once. */
export interface Ending<T> {
  resolve(reply: T): void;
  /** With `takenBack` when nothing of it left this process. */
  reject(error: unknown): void;
}

/** The caller hears in its own way; what its callback throws is its own affair, as with the libraries. */
export function succeed<T>(job: SqlJob<T>, reply: T): void {
  try {
    job.succeed(reply);
  } catch (error) {
    throwLater(error);
  }
}

/** As `succeed`. */
export function fail(job: SqlJob<never>, error: unknown): void {
  try {
    job.fail(error);
  } catch (thrown) {
    throwLater(thrown);
  }
}

/** Tells the caller of a job how it went. */
export function settle<T>(job: SqlJob<T>, running: Promise<T>): void {
  void running.then(
    (reply) => succeed(job, reply),
    (error: unknown) => fail(job, error),
  );
}

function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
