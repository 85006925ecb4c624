// @ts-check
// Holes, revisions, quarantine and budgets as tables. Exports one function for each, from its rows to an element.

import { element } from "./dom.js";
import { age, moment, NOTHING, number } from "./format.js";
import { KINDS } from "./coverage-days.js";
import { table } from "./table.js";

/** @typedef {Record<string, any>[]} Rows */

/** @param {Rows} rows @param {string} caption */
export function holesTable(rows, caption) {
  return table(
    rows,
    [
      { key: "starts_at", label: "From", kind: "time" },
      { key: "ends_at", label: "To", kind: "time" },
      { key: "candles", label: "Candles", kind: "number" },
      { key: "state", label: "State", format: stateMark },
      { key: "reason", label: "Reason", kind: "words" },
      { key: "evidence", label: "Evidence", kind: "words" },
      { key: "answered_at", label: "Answered", kind: "time" },
    ],
    { caption, empty: `${caption}: none, every expected candle is held.` },
  );
}

/** @param {string} state */
function stateMark(state) {
  const mark = KINDS.find((kind) => kind.state === state)?.mark ?? "";
  const sign = element("span", { class: "day", "data-state": state, "data-depth": "4", "aria-hidden": "true" }, mark);
  return element("span", { class: "state" }, sign, state.replaceAll("_", " "));
}

/** @param {Rows} rows */
export function revisionsTable(rows) {
  const values = ["open", "high", "low", "close", "volume"].map((key) => ({
    key,
    label: key[0].toUpperCase() + key.slice(1),
    kind: "number",
    format: (/** @type {any} */ old, /** @type {any} */ row) => replaced(old, row[`new_${key}`]),
  }));
  return table(
    rows,
    [
      { key: "opened_at", label: "Candle", kind: "time" },
      ...values,
      { key: "source", label: "Source", format: (old, row) => replaced(old, row.new_source, String) },
      { key: "recorded_at", label: "Known from", kind: "time" },
      { key: "superseded_at", label: "Replaced", kind: "time" },
    ],
    { caption: "Values before → after", empty: "No candle of this series and year was ever replaced." },
  );
}

/** @param {any} old @param {any} following @param {(value: any) => string} [words] */
function replaced(old, following, words = exact) {
  if (following === null || following === undefined) return `${words(old)} → gone`;
  return old === following ? words(old) : `${words(old)} → ${words(following)}`;
}

/** Up to eight decimals. @param {any} value */
function exact(value) {
  return new Intl.NumberFormat("en", { maximumFractionDigits: 8 }).format(Number(value));
}

/** @param {Rows} rows */
export function quarantineTable(rows) {
  return table(
    rows,
    [
      { key: "recorded_at", label: "Refused", kind: "time" },
      { key: "dataset", label: "Dataset" },
      { key: "source", label: "Source" },
      { key: "reason", label: "Reason", kind: "words" },
      { key: "raw", label: "As it came", sortable: false, format: (text) => element("code", { class: "raw" }, text) },
    ],
    { caption: "Refused rows, newest first", empty: "Nothing was ever refused." },
  );
}

/** @param {Rows} rows */
export function budgetsTable(rows) {
  return table(
    rows,
    [
      { key: "source", label: "Host" },
      { key: "circuit", label: "Circuit", format: circuit },
      { key: "circuit_reason", label: "Why", format: (_, row) => whyOf(row) },
      { key: "window_seconds", label: "Limit", kind: "number", format: (_, row) => limitOf(row) },
      { key: "tokens_left", label: "Left now", kind: "number", format: (_, row) => leftOf(row) },
      { key: "requests_this_hour", label: "Requests this hour", kind: "number" },
      { key: "requests_this_month", label: "This month", kind: "number" },
    ],
    { caption: "Each host and limit", empty: "No host has been asked yet." },
  );
}

/** @param {string} state */
function circuit(state) {
  const words = state === "closed" ? "✓ closed, asked" : state === "open" ? "✕ open, not asked" : "… half open, trying";
  return element("span", { class: `mark ${state === "closed" ? "" : "bad"}` }, words);
}

/** @param {any} row */
function whyOf(row) {
  const said = [
    row.circuit !== "closed" && `${row.circuit_reason ?? "no reason kept"}; tried again ${moment(row.retry_at)}`,
    row.blocked_for_seconds > 0 && `silent for ${age(row.blocked_for_seconds)}: ${row.blocked_reason ?? "it said so"}`,
  ].filter(Boolean);
  return said.length ? said.join("; ") : NOTHING;
}

/** @param {any} row */
function limitOf({ units, window_seconds }) {
  if (window_seconds === null) return NOTHING;
  return `${number(units, 0)} in ${age(window_seconds)}`;
}

/** @param {any} row */
function leftOf({ tokens_left, capacity }) {
  if (capacity === null) return NOTHING;
  const share = Math.max(0, Math.min(1, tokens_left / capacity));
  const meter = element("meter", { min: 0, max: 1, value: share, "aria-label": "share left" });
  return element("span", { class: "left" }, meter, `${number(tokens_left, 0)} of ${number(capacity, 0)}`);
}
