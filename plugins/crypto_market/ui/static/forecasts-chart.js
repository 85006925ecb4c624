// @ts-check
// Forecasts with their intervals against what happened. Exports:
//   forecastChart(box) -> {drawForecasts(rows, name, isOther), drawHappened(bars, isOther), onLook(fn)}; isOther: what
//     is drawn is another series or range, and is shown whole; historyTable(rows, name, isOpen); hourly(items).
// Rows are those of /forecasts, by their target; bars those of /candles/chart.

import { themedChart } from "./chart.js";
import { element } from "./dom.js";
import { moment } from "./format.js";
import { IntervalBand } from "./forecasts-band.js";
import { intervalWords, modelWords, priceWords } from "./forecasts-words.js";
import { table } from "./table.js";
import { colour, onTheme } from "./theme.js";

const MOST_LINES = 200;
const HOUR = 3600;
const plain = { priceLineVisible: false, lastValueVisible: false };

const secondsOf = (/** @type {string} */ time) => Date.parse(time) / 1000;

/** @param {HTMLElement} box */
export function forecastChart(box) {
  const chart = themedChart(box, "Forecasts.");
  const bandLook = () => ({ ...plain, color: colour("accent"), dashes: [6, 6] });
  const lineLook = () => ({ ...plain, color: colour("text") });
  const band = chart.api.addCustomSeries(new IntervalBand(), bandLook());
  const happened = chart.api.addCustomSeries(new IntervalBand(), lineLook());
  onTheme(() => {
    band.applyOptions(bandLook());
    happened.applyOptions(lineLook());
  });
  // After the box has its size.
  const fit = () => void requestAnimationFrame(() => chart.api.timeScale().fitContent());
  /** @type {Map<number, any>} */
  let sealed = new Map();
  /** @type {Map<number, number>} */
  let closes = new Map();

  return {
    /** @param {any[]} rows at least one @param {string} name @param {boolean} isOther */
    drawForecasts(rows, name, isOther) {
      sealed = new Map(rows.map((row) => [secondsOf(row.timestamp), row]));
      const items = [...sealed].map(([time, row]) => ({
        time, value: row.predicted_price, lower: row.lower_price, upper: row.upper_price, lower95: row.lower_price_95,
        upper95: row.upper_price_95,
      }));
      // Where the first one starts from, so that even one alone is a line and a widening band.
      const { as_of, as_of_price: value } = rows[0];
      items.unshift({ time: secondsOf(as_of), value, lower: value, upper: value, lower95: value, upper95: value });
      band.setData(hourly(items));
      if (isOther) fit();
      chart.describe(summary(rows, name));
    },
    /** @param {any[]} bars of /candles/chart @param {boolean} isOther */
    drawHappened(bars, isOther) {
      closes = new Map(bars.map((bar) => [secondsOf(bar.opened_at) + bar.bar_seconds, bar.close]));
      const length = bars[0]?.bar_seconds;
      const isApart = (/** @type {number} */ place, /** @type {[number, number][]} */ all) =>
        place > 0 && all[place][0] - all[place - 1][0] > length;
      happened.setData([...closes].map(([time, value], place, all) => ({ time, value, isApart: isApart(place, all) })));
      if (isOther) fit();
    },
    /** @param {(words: string) => void} look called with what is under the crosshair */
    onLook(look) {
      chart.api.subscribeCrosshairMove((/** @type {any} */ { time }) => {
        if (sealed.has(time)) look(lookWords(sealed.get(time)));
        else look(closes.has(time) ? `${moment(time)}: happened ${priceWords(closes.get(time))}` : "");
      });
    },
  };
}

/** With an empty place for each hour between, so that time runs evenly, and apart where there is one. The way from the
 * first item, which is no forecast, to the first forecast is as long as its horizon.
 * @param {{time: number, value: number}[]} items */
export function hourly(items) {
  /** @type {Map<number, object>} */
  const places = new Map();
  for (let { time } = items[0]; time < items[items.length - 1].time; time += HOUR) places.set(time, { time });
  items.forEach((item, place) => {
    const isApart = place > 1 && item.time - items[place - 1].time > HOUR;
    places.set(item.time, { ...item, isApart });
  });
  return [...places].sort(([one], [other]) => one - other).map(([, item]) => item);
}

/** @param {any[]} rows @param {string} name */
function summary(rows, name) {
  const known = rows.filter((row) => row.actual_price !== null);
  const inside = known.filter((row) => outcome(row) === "within 80 %").length;
  const last = rows[rows.length - 1];
  const held = `${inside} of ${known.length} outcomes lie within their 80 % interval. `;
  return (
    `Forecasts of ${name}: ${rows.length}, the first for ${moment(rows[0].timestamp)}. ` +
    `${known.length ? held : "None has its outcome yet. "}The last: ${lookWords(last)}. A table follows.`
  );
}

/** Where the outcome lay. @param {any} row */
function outcome({ actual_price, lower_price, upper_price, lower_price_95, upper_price_95 }) {
  if (actual_price === null) return "still to come";
  if (lower_price <= actual_price && actual_price <= upper_price) return "within 80 %";
  if (lower_price_95 === null) return "outside 80 %";
  return lower_price_95 <= actual_price && actual_price <= upper_price_95 ? "within 95 %" : "✕ outside both";
}

/** One forecast in a line. @param {any} row */
function lookWords(row) {
  const known = row.actual_price !== null;
  const happened = known ? `happened ${priceWords(row.actual_price)}, ${outcome(row)}` : "still to come";
  return (
    `${moment(row.timestamp)}: forecast ${priceWords(row.predicted_price)}, ` +
    `80 % ${intervalWords(row.lower_price, row.upper_price)}, ` +
    `95 % ${intervalWords(row.lower_price_95, row.upper_price_95)}; ${happened}`
  );
}

/** The newest forecasts. @param {any[]} rows @param {string} name @param {boolean} isOpen */
export function historyTable(rows, name, isOpen) {
  const narrow = (/** @type {any} */ _, /** @type {any} */ row) => intervalWords(row.lower_price, row.upper_price);
  const wide = (/** @type {any} */ _, /** @type {any} */ row) => intervalWords(row.lower_price_95, row.upper_price_95);
  const shown = rows.slice(-MOST_LINES).reverse();
  const made = table(
    shown,
    [
      { key: "timestamp", label: "For", kind: "time" },
      { key: "predicted_price", label: "Forecast", kind: "number", format: priceWords },
      { key: "lower_price", label: "80 % interval", kind: "number", format: narrow },
      { key: "lower_price_95", label: "95 % interval", kind: "number", format: wide },
      { key: "actual_price", label: "Happened", kind: "number", format: priceWords },
      { key: "world", label: "Outcome", sortable: false, format: (_, row) => outcome(row) },
      { key: "model", label: "Served", format: (model, row) => modelWords(model, row.model_version) },
      { key: "made_at", label: "Sealed", kind: "time" },
    ],
    {
      caption: `Forecasts of ${name}, newest first, ${shown.length} of ${rows.length}`,
      empty: "No forecast in this range.",
    },
  );
  return element("details", { open: isOpen }, element("summary", {}, "The newest as a table"), made);
}
