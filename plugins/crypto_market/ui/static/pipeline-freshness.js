// @ts-check
// Freshness of each dataset against its deadline. Exports: freshness(element, dagId) -> the envelope;
// state(kind, text) -> a word with its sign.

import { ask } from "./api.js";
import { element, fill } from "./dom.js";
import { age } from "./format.js";
import { table } from "./table.js";

/** Which datasets a DAG keeps fresh. @type {Record<string, string[]>} */
const DATASETS = {
  ohlcv_backfill: ["candles"],
  ohlcv_hourly: ["candles"],
  coverage_repair: ["candles"],
  spot_sentiment_hourly: ["sentiment"],
  ticker_snapshots: ["tickers"],
  feature_upsert: ["features"],
  market_transforms: ["rankings"],
  model_retraining: ["models"],
  price_forecast: ["forecasts"],
};

const share = (/** @type {any} */ row) => (row.deadline_seconds ? row.age_seconds / row.deadline_seconds : null);

/** @param {HTMLElement} parent @param {string} dagId "" for all */
export async function freshness(parent, dagId) {
  const answer = await ask("pipeline", { limit: 1000 });
  const mine = dagId ? DATASETS[dagId] ?? [] : [...new Set(Object.values(DATASETS).flat())];
  if (!mine.length) {
    fill(parent, element("p", { class: "empty" }, `${dagId} keeps no dataset that has a deadline.`));
    return answer;
  }
  const rows = answer.data.filter((row) => mine.includes(row.dataset));
  const late = rows.filter((row) => row.is_stale).length;
  const said = late ? state("bad", `✕ ${late} of ${rows.length} late`) : state("good", `✓ all ${rows.length} in time`);
  const sums = mine.map((dataset) => summed(dataset, rows.filter((row) => row.dataset === dataset)));
  const all = element("details", {}, element("summary", {}, `Each of the ${rows.length}`), every(rows));
  fill(parent, rows.length ? said : null, overview(sums), rows.length ? all : null);
  return answer;
}

/** The one that is nearest to its deadline, or furthest beyond. @param {string} dataset @param {any[]} rows */
function summed(dataset, rows) {
  const [worst] = [...rows].sort((one, other) => (share(other) ?? -1) - (share(one) ?? -1));
  return { dataset, subject: "nothing yet", ...worst, subjects: rows.length };
}

const AGES = [
  { key: "age_seconds", label: "Age", kind: "number", format: age, hint: "of features: behind the newest candle" },
  { key: "deadline_seconds", label: "Deadline", kind: "number", format: age },
  { key: "is_stale", label: "State", value: share, format: stateOf },
];

/** @param {any[]} rows */
function overview(rows) {
  const columns = [
    { key: "dataset", label: "Dataset" },
    { key: "subjects", label: "Of", kind: "number", hint: "how many markets, targets or horizons" },
    { key: "subject", label: "Nearest to its deadline" },
    ...AGES,
  ];
  return table(rows, columns, { caption: "Datasets by how near they are to their deadline", sort: "-is_stale" });
}

/** @param {any[]} rows */
function every(rows) {
  const columns = [
    { key: "dataset", label: "Dataset" },
    { key: "subject", label: "Subject" },
    { key: "newest_at", label: "Newest", kind: "time" },
    ...AGES,
  ];
  return table(rows, columns, { caption: "Every dataset and subject", sort: "dataset" });
}

/** @param {any} _ @param {any} row */
function stateOf(_, row) {
  if (!row.subject || !row.newest_at) return state("warn", "– none yet");
  const used = share(row);
  if (used === null) return state("", "– no deadline");
  const bar = element("i", { style: `width: ${Math.min(100, 100 * used)}%` });
  const gauge = element("span", { class: `gauge ${row.is_stale ? "late" : ""}`, "aria-hidden": "true" }, bar);
  const by = row.is_stale ? age(row.age_seconds - row.deadline_seconds) : "";
  return element("span", {}, row.is_stale ? state("bad", `✕ late by ${by}`) : state("good", "✓ in time"), gauge);
}

/** @param {string} kind "good" | "bad" | "warn" | "" @param {string} text */
export function state(kind, text) {
  return element("span", { class: `state ${kind}` }, text);
}
