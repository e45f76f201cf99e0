// Owns: how rows look in a terminal.

import type { Row } from "./targets.ts";

const HEADINGS = [
  "",
  "scenario",
  "peer",
  "ours",
  "theirs",
  "unit",
  "ratio",
  "must",
  "goal",
  "spread",
  "repeated",
] as const;

export function formatTable(rows: readonly Row[]): string {
  const table = alignColumns([HEADINGS, ...rows.map(formatRow)]);
  const reasons = rows.flatMap((row) => [
    ...(row.void === undefined ? [] : [`VOID ${row.scenario}: ${row.void}`]),
    ...(row.lowerBound === undefined ? [] : [`AT LEAST ${row.scenario}: ${row.lowerBound}`]),
  ]);
  return [...table, ...reasons].join("\n");
}

/** Lines of cells, all of the same number, as lines of text. */
export function alignColumns(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}

function formatRow(row: Row): string[] {
  const verdict = findVerdict(row);
  return [
    verdict,
    row.scenario,
    row.peer,
    formatNumber(row.ours),
    formatNumber(row.theirs),
    row.unit,
    row.ratio === null ? "" : `${row.ratio.toFixed(2)}x`,
    row.must === null ? "" : String(row.must),
    String(row.goal),
    row.spread === undefined ? "" : `${Math.round(row.spread * 100)} %`,
    row.repeated ? `${row.repeated} (first ${row.firstRatio?.toFixed(2)}x)` : "",
  ];
}

function findVerdict(row: Row): string {
  if (row.void !== undefined) return "VOID";
  if (row.must === null) return "MEASURED";
  return row.pass ? "PASS" : "SHORT";
}

function formatNumber(value: number | null): string {
  if (value === null) return "";
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) < 100 ? 1 : 0 });
}
