/** Who is told of the demo: a person at a terminal, a file or pipe, or a program. */
import type { WriteStream } from "node:tty";
import { systemClock, type Timer } from "../../time/index.ts";
import type { EventLine } from "./events.ts";
import { closingTable, type DemoReport } from "./report.ts";
import type { DemoAudience, DemoResult } from "./run.ts";
import { Screen } from "./screen.ts";
import { ansiPaint, noPaint, type Paint } from "./text.ts";
import { eventLine, viewLines } from "./view.ts";

/** What was asked for, for the JSON object. */
export interface Asked {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: string;
}

export interface Narrator extends DemoAudience {
  /** Gives the terminal back. Idempotent. */
  close(): void;
  ended(result: DemoResult, report: DemoReport, asked: Asked): void;
}

interface Output {
  write(text: string): unknown;
}

const FRAME_MS = 100;
/** Events kept for a tall window. */
const EVENTS_KEPT = 100;
/** Where the width is unknown, nothing is cut. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

/** A line per event. */
export function plainAudience(out: Output): Narrator {
  const line = (text: string): void => void out.write(`${text}\n`);
  return {
    progress: (text) => line(`holdfast: ${text}`),
    started: (demo) => {
      const faults = demo.acts.length === 0 ? "no faults" : `${demo.acts.length} faults`;
      line(`holdfast demo: ${demo.totalMs / 1000} s, ${faults}, seed ${demo.seed}`);
    },
    event: (event) => line(eventLine(event, NO_LIMIT, noPaint).trimEnd()),
    close() {},
    ended: (result, report) => {
      for (const text of ["", ...closing(result, report, NO_LIMIT, noPaint)]) line(text);
    },
  };
}

/** The story on `story`, one object on `out` as the last line. */
export function jsonAudience(out: Output, story: Output): Narrator {
  return {
    ...plainAudience(story),
    ended: (result, report, asked) => {
      const { interrupted, missing } = result;
      out.write(`${JSON.stringify({ ...report, ...asked, interrupted, missing })}\n`);
    },
  };
}

/** The live view; the closing table stays on the terminal when it is gone. */
export function liveAudience(out: WriteStream): Narrator {
  const paint: Paint = process.env.NO_COLOR ? noPaint : ansiPaint;
  const events: EventLine[] = [];
  let live: { readonly screen: Screen; readonly draw: () => void } | undefined;
  let timer: Timer | undefined;
  const close = (): void => {
    timer?.cancel();
    live?.screen.close();
    live = undefined;
  };
  return {
    progress: (text) => {
      if (live === undefined) out.write(`holdfast: ${text}\n`);
    },
    started(demo) {
      const screen = new Screen(out);
      const draw = (): void => screen.draw(viewLines(demo, events, screen, paint));
      live = { screen, draw };
      const frame = (): void => {
        draw();
        timer = systemClock.setTimer(FRAME_MS, frame);
      };
      frame();
    },
    event(event) {
      events.push(event);
      if (events.length > EVENTS_KEPT) events.shift();
    },
    close,
    ended(result, report) {
      for (const line of closing(result, report, out.columns - 1, paint)) out.write(`${line}\n`);
    },
  };
}

/** The table, and each link that is left out, why, and how to get it. */
function closing(result: DemoResult, report: DemoReport, width: number, paint: Paint): string[] {
  const missing = result.missing
    .filter(({ broken }) => !broken)
    .flatMap(({ name, reason, ways }) => [
      paint.yellow(`${name} was left out: ${reason}`),
      ...ways.map((way) => `  to get it: ${way}`),
    ]);
  return [...closingTable(result, report, width, paint), ...(missing.length > 0 ? ["", ...missing] : [])];
}
