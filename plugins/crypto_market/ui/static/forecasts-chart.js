// @ts-check
// Forecasts with their intervals against what happened. Exports:
//   forecastChart(box) -> {draw(rows, name), onLook(fn)}; fn gets the row under the crosshair, or null.
//   outcome(row), historyTable(rows, name). Rows are those of /forecasts, by their target.

import { LineStyle, themedChart } from "./chart.js";
import { element } from "./dom.js";
import { moment, price } from "./format.js";
import { IntervalBand } from "./forecasts-band.js";
import { intervalWords } from "./forecasts-words.js";
import { table } from "./table.js";
import { colour, onTheme } from "./theme.js";

const MOST_LINES = 200;
const plain = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };

/** @param {HTMLElement} box */
export function forecastChart(box) {
  const chart = themedChart(box, "Forecasts.");
  const bandLook = () => ({ color: colour("accent"), priceLineVisible: false, lastValueVisible: false });
  const band = chart.api.addCustomSeries(new IntervalBand(), bandLook());
  onTheme(() => band.applyOptions(bandLook()));
  const dashed = { lineStyle: LineStyle.Dashed, lineWidth: 2 };
  const forecast = chart.add("Line", () => ({ ...plain, ...dashed, color: colour("accent") }));
  const happened = chart.add("Line", () => ({ ...plain, lineWidth: 2, color: colour("text") }));
  /** @type {Map<number, any>} */
  let byTime = new Map();

  return {
    /** @param {any[]} rows @param {string} name */
    draw(rows, name) {
      byTime = new Map(rows.map((row) => [Date.parse(row.timestamp) / 1000, row]));
      const items = [...byTime].map(([time, row]) => ({ time, row }));
      band.setData(
        items.map(({ time, row }) => ({
          time, lower: row.lower_price, upper: row.upper_price, lower95: row.lower_price_95, upper95: row.upper_price_95,
        })),
      );
      forecast.setData(items.map(({ time, row }) => ({ time, value: row.predicted_price })));
      const known = items.filter(({ row }) => row.actual_price !== null);
      happened.setData(known.map(({ time, row }) => ({ time, value: row.actual_price })));
      chart.api.timeScale().fitContent();
      chart.describe(summary(rows, name));
    },
    /** @param {(row: any) => void} look */
    onLook(look) {
      chart.api.subscribeCrosshairMove((/** @type {any} */ at) => look(byTime.get(at.time) ?? null));
    },
  };
}

/** @param {any[]} rows @param {string} name */
function summary(rows, name) {
  const known = rows.filter((row) => row.actual_price !== null);
  const inside = known.filter((row) => outcome(row) === "within 80 %").length;
  const last = rows[rows.length - 1];
  return (
    `${rows.length} forecasts of ${name}, for ${moment(rows[0].timestamp)} to ${moment(last.timestamp)}. ` +
    `${inside} of ${known.length} outcomes lie within their 80 % interval. ${lookWords(last)}. A table follows.`
  );
}

/** Where the outcome lay. @param {any} row */
export function outcome({ actual_price, lower_price, upper_price, lower_price_95, upper_price_95 }) {
  if (actual_price === null) return "still to come";
  if (lower_price <= actual_price && actual_price <= upper_price) return "within 80 %";
  if (lower_price_95 === null) return "outside 80 %";
  return lower_price_95 <= actual_price && actual_price <= upper_price_95 ? "within 95 %" : "✕ outside both";
}

/** One forecast in a line. @param {any} row */
export function lookWords(row) {
  const happened = row.actual_price === null ? "still to come" : `happened ${price(row.actual_price)}, ${outcome(row)}`;
  return (
    `${moment(row.timestamp)}: forecast ${price(row.predicted_price)}, ` +
    `80 % ${intervalWords(row.lower_price, row.upper_price)}, ` +
    `95 % ${intervalWords(row.lower_price_95, row.upper_price_95)}; ${happened}`
  );
}

/** The newest forecasts. @param {any[]} rows @param {string} name */
export function historyTable(rows, name) {
  const narrow = (/** @type {any} */ _, /** @type {any} */ row) => intervalWords(row.lower_price, row.upper_price);
  const wide = (/** @type {any} */ _, /** @type {any} */ row) => intervalWords(row.lower_price_95, row.upper_price_95);
  const shown = rows.slice(-MOST_LINES).reverse();
  const made = table(
    shown,
    [
      { key: "timestamp", label: "For", kind: "time" },
      { key: "predicted_price", label: "Forecast", kind: "number", format: price },
      { key: "lower_price", label: "80 % interval", kind: "number", format: narrow },
      { key: "lower_price_95", label: "95 % interval", kind: "number", format: wide },
      { key: "actual_price", label: "Happened", kind: "number", format: price },
      { key: "world", label: "Outcome", sortable: false, format: (_, row) => outcome(row) },
      { key: "model", label: "Served", format: (model, row) => (row.is_naive ? "naive" : `${model} ${row.model_version}`) },
      { key: "made_at", label: "Sealed", kind: "time" },
    ],
    { caption: `The newest ${shown.length} forecasts of ${name}`, empty: "No forecast in this range." },
  );
  return element("details", {}, element("summary", {}, `The newest ${shown.length} as a table`), made);
}
