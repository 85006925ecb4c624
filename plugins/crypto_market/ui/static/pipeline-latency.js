// @ts-check
// Time from the close of each hour to its sealed forecasts. Exports: latencyPanel(element) -> {refresh()}.

import { ask } from "./api.js";
import { themedChart } from "./chart.js";
import { element, fill } from "./dom.js";
import { day, duration, moment, number } from "./format.js";
import { table } from "./table.js";
import { colour } from "./theme.js";
import { verdict } from "./trust.js";

const HOUR = 3600;
const COLUMNS = [
  { key: "hour_at", label: "Hour's close", kind: "time" },
  { key: "made_at", label: "Forecast sealed", kind: "time" },
  { key: "seconds", label: "After", kind: "number", format: duration },
  { key: "forecasts", label: "Forecasts", kind: "number" },
];

/** @param {HTMLElement} parent */
export function latencyPanel(parent) {
  const [trust, figures] = [element("div"), element("div")];
  const tiles = element("dl", { class: "tiles" });
  const box = element("div", { class: "latency-chart" });
  const details = element("details", {}, element("summary", {}, "The same as a table"), figures);
  /** @type {any} */
  let chart = null;
  /** @type {any} */
  let series = null;

  /** @param {any[]} rows */
  function draw(rows) {
    if (!chart) {
      const localization = { locale: "en", priceFormatter: duration, timeFormatter: moment };
      chart = themedChart(box, "", { localization });
      const quiet = { priceLineVisible: false, lastValueVisible: false };
      series = chart.add("Histogram", () => ({ color: colour("series-1"), ...quiet }));
    }
    series.setData(hourly(rows));
    chart.api.timeScale().fitContent();
  }

  return {
    async refresh() {
      const answer = await ask("pipeline/latency", { limit: 1000 });
      const rows = answer.data;
      verdict(trust, answer);
      const none = element("p", { class: "empty" }, "No forecast was made in the last seven days.");
      if (!rows.length) return void fill(parent, trust, none);
      const [first, newest] = [rows[0], rows[rows.length - 1]];
      const sorted = rows.map((row) => Number(row.seconds)).sort((one, other) => one - other);
      const at = (/** @type {number} */ share) => duration(sorted[Math.floor(share * (sorted.length - 1))]);
      fill(parent, trust, tiles, box, details);
      fill(tiles, tile(`of ${moment(newest.hour_at)}`, duration(newest.seconds)), tile("median", at(0.5)),
        tile("p95", at(0.95)), tile("hours with a forecast", number(rows.length)));
      fill(figures, table(rows, COLUMNS, { caption: "Each hour, newest first", sort: "-hour_at" }));
      draw(rows);
      const hours = `${rows.length} hours from ${day(first.hour_at)} to ${day(newest.hour_at)}`;
      chart.describe(`Time from the close of an hour to its forecasts, ${hours}: median ${at(0.5)}, longest ${at(1)}.`);
    },
  };
}

/** @param {string} name @param {string} text */
function tile(name, text) {
  return element("div", { class: "tile" }, element("dt", {}, name), element("dd", {}, text));
}

/** An hour without a forecast stays empty. @param {any[]} rows */
function hourly(rows) {
  const times = new Map(rows.map((row) => [Date.parse(row.hour_at) / 1000, Number(row.seconds)]));
  const last = Math.max(...times.keys());
  const first = Math.min(last - 23 * HOUR, ...times.keys()); // at least a day: one bar alone would be a wall
  return Array.from({ length: Math.round((last - first) / HOUR) + 1 }, (_, place) => {
    const time = first + place * HOUR;
    const value = times.get(time);
    return value === undefined ? { time } : { time, value };
  });
}
