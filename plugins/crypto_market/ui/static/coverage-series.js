// @ts-check
// Every series with its equation in words. Exports: seriesName(row), equationOf(row), seriesTable(rows, choose) for
// rows of /coverage; yearsOf(row) for one of /instruments.

import { element } from "./dom.js";
import { day, number, percent } from "./format.js";
import { table } from "./table.js";

const MISSING = ["empty", "outage", "out_of_reach", "pending", "unknown"];

/** @param {Record<string, any>} series */
export function seriesName({ venue, symbol, timeframe }) {
  return `${venue} ${symbol} ${timeframe}`;
}

/** E.g. `744 = 743 observed + 1 outage`; what is zero is left out. @param {Record<string, any>} series */
export function equationOf(series) {
  const archived = series.archived ? ` (${number(series.archived)} archived)` : "";
  const others = MISSING.filter((state) => series[state] > 0).map(
    (state) => ` + ${number(series[state])} ${state.replaceAll("_", " ")}`,
  );
  return `${number(series.expected)} = ${number(series.observed)} observed${archived}${others.join("")}`;
}

/** The years a market's candles reach over, newest first. @param {Record<string, any>} market */
export function yearsOf({ first_opened_at, as_of }) {
  const last = new Date(as_of).getUTCFullYear();
  const first = first_opened_at ? new Date(first_opened_at).getUTCFullYear() : last;
  return Array.from({ length: last - first + 1 }, (_, back) => String(last - back));
}

/** @param {Record<string, any>[]} rows @param {(row: any) => void} choose */
export function seriesTable(rows, choose) {
  /** @param {any} _ @param {any} row */
  const button = (_, row) =>
    element("button", { type: "button", onclick: () => choose(row) }, seriesName(row));
  /** @param {boolean} complete */
  const complete = (complete) =>
    element("span", { class: complete ? "mark" : "mark bad" }, complete ? "✓ complete" : "? has unknown");
  return table(
    rows,
    [
      { key: "symbol", label: "Series", format: button, value: seriesName },
      { key: "starts_at", label: "From", kind: "time", format: day },
      { key: "ends_at", label: "To", kind: "time", format: day },
      { key: "expected", label: "Expected = observed + explained", format: (_, row) => equationOf(row) },
      { key: "completeness_percent", label: "Held", kind: "number", format: (value) => percent(value, 3) },
      { key: "is_complete", label: "Verdict", format: complete },
    ],
    { caption: "Each series since its beginning; choose one to see its calendar", empty: "No series is known yet." },
  );
}
