// @ts-check
// What is forecast now. Exports: latestTable(rows) of /forecasts/latest, with the reason in the place of a number that
// is not given; serving(rows, models) -> a list: who serves what, and why.

import { element } from "./dom.js";
import { moment, NOTHING, number } from "./format.js";
import { intervalWords, modelWords, priceWords, seriesName, shareWords, whoServes } from "./forecasts-words.js";
import { table } from "./table.js";

/** @param {any[]} rows */
export function latestTable(rows) {
  const narrow = (/** @type {any} */ _, /** @type {any} */ row) => intervalWords(row.lower_price, row.upper_price);
  const wide = (/** @type {any} */ _, /** @type {any} */ row) => intervalWords(row.lower_price_95, row.upper_price_95);
  return table(
    rows,
    [
      { key: "symbol", label: "Series", kind: "series", format: (_, row) => seriesName(row), value: seriesName },
      { key: "timestamp", label: "For", kind: "time" },
      { key: "predicted_price", label: "Price", kind: "number", format: forecastOrReason },
      { key: "lower_price", label: "80 % interval", kind: "number", format: narrow },
      { key: "lower_price_95", label: "95 % interval", kind: "number", format: wide },
      { key: "up_probability", label: "Rises", kind: "number", format: (share) => shareWords(share) },
      { key: "predicted_volatility", label: "Volatility", hint: "With its 80 % interval", kind: "number",
        format: volatility },
      { key: "model", label: "Served", kind: "series", format: served },
    ],
    { caption: "The newest forecast of each market and horizon", empty: "No forecast has been made yet." },
  );
}

/** @param {any} value @param {any} row */
function forecastOrReason(value, row) {
  if (row.state === "served") return priceWords(value);
  const since = row.refused_at ? ` (since ${moment(row.refused_at)})` : "";
  const text = `${row.reason ?? row.state}${since}`;
  return element("span", { class: "reason" }, element("span", { class: "mark bad" }, "✕ Abstains"), ` ${text}`);
}

/** @param {any} value @param {any} row */
function volatility(value, row) {
  if (value === null) return row.state === "served" && row.volatility_reason ? row.volatility_reason : NOTHING;
  const words = (/** @type {any} */ each) => number(100 * each, 2);
  const whole = intervalWords(row.lower_volatility, row.upper_volatility, words);
  return `${words(value)} % (${whole})`;
}

/** @param {any} _ @param {any} row */
function served(_, row) {
  if (row.state !== "served") return NOTHING;
  return row.is_naive ? "naive forecast" : modelWords(row.model, row.model_version);
}

/** @param {any[]} rows @param {any[]} models of /models */
export function serving(rows, models) {
  const judged = new Set(models.map((each) => `${seriesName(each)} ${each.target}`));
  /** @type {Map<string, string[]>} */
  const said = new Map();
  for (const row of rows) {
    const isJudged = (/** @type {string} */ target) => judged.has(`${seriesName(row)} ${target}`);
    const hasVolatility = row.volatility_model || isJudged("volatility"); // a refused price refuses both
    for (const target of hasVolatility ? ["log_return", "volatility"] : ["log_return"]) {
      const text = whoServes(row, target, isJudged(target));
      said.set(text, [...(said.get(text) ?? []), seriesName(row)]);
    }
  }
  const lines = [...said].map(([text, names]) =>
    element("li", {}, element("strong", {}, text), `: ${names.join("; ")}`));
  return element("ul", { class: "said" }, ...lines);
}
