import assert from "node:assert/strict";
import { test } from "node:test";
import { asMarkdown, asText, figure, type Report, withInterval } from "../../bench/report.ts";

const report: Report = {
  name: "sample",
  title: "two ways",
  method: ["3 rounds"],
  tables: [
    {
      columns: ["way", "ns"],
      rows: [
        ["bare | plain", "9.0"],
        ["ours", "12,345"],
      ],
    },
  ],
  goals: [
    {
      goal: "at least 0.95",
      measured: { estimate: 0.987, low: 0.96, high: 1.01 },
      unit: "",
      verdict: "met",
    },
  ],
  notes: ["loopback"],
};

test("figures keep what matters", () => {
  assert.equal(figure(12_345.6), "12,346");
  assert.equal(figure(12.34), "12.3");
  assert.equal(figure(0.987), "0.99");
  assert.equal(figure(0.0123), "0.012");
  assert.equal(figure(Number.POSITIVE_INFINITY), "Infinity");
  assert.equal(withInterval({ estimate: 1, low: 0.5, high: 2 }), "1.00 [0.50–2.00]");
});

test("text lines up: names to the left, figures to the right", () => {
  assert.deepEqual(asText(report).split("\n"), [
    "sample: two ways",
    "  3 rounds",
    "",
    "way               ns",
    "------------  ------",
    "bare | plain     9.0",
    "ours          12,345",
    "",
    "goal: at least 0.95: 0.99 [0.96–1.01]: met",
    "note: loopback",
    "",
  ]);
});

test("markdown: a bar in a cell does not break the table", () => {
  assert.deepEqual(asMarkdown(report).split("\n"), [
    "## `sample`: two ways",
    "",
    "- 3 rounds",
    "",
    "| way | ns |",
    "| --- | --: |",
    "| bare \\| plain | 9.0 |",
    "| ours | 12,345 |",
    "",
    "- **Goal** at least 0.95: 0.99 [0.96–1.01]: met",
    "",
    "- loopback",
    "",
  ]);
});
