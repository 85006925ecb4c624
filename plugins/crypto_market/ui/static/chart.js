// @ts-check
// Lightweight Charts in our colours, with keys. Exports:
//   themedChart(box, label, options) -> {api, add(kind, make, pane), drop(series), describe(text), shift(share),
//     zoom(factor)}
// api: the library's own chart. kind: "Candlestick" | "Line" | "Histogram" | "Area"; make() gives the series' options
// and is called again when the theme changes, so colours are read in it: colour("up"). Times are seconds since the
// epoch, shown in UTC. A canvas says nothing to a screen reader: describe() it, and put a table of its figures beside.

import * as library from "./vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";
import { moment, price } from "./format.js";
import { colour, onTheme } from "./theme.js";

const KINDS = /** @type {Record<string, any>} */ ({
  Candlestick: library.CandlestickSeries,
  Line: library.LineSeries,
  Histogram: library.HistogramSeries,
  Area: library.AreaSeries,
});
export const { createSeriesMarkers, PriceScaleMode, LineStyle } = library;
const KEYS_TEXT = "Arrow keys move in time, plus and minus zoom, Home and End go to the ends.";

function look() {
  const line = { color: colour("grid") };
  const border = { borderColor: colour("line") };
  return {
    layout: {
      background: { type: "solid", color: colour("panel") },
      textColor: colour("muted"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
      attributionLogo: true,
      panes: { separatorColor: colour("line"), separatorHoverColor: colour("accent-soft") },
    },
    grid: { vertLines: line, horzLines: line },
    rightPriceScale: border,
    leftPriceScale: border,
    timeScale: border,
  };
}

/** @param {HTMLElement} box @param {string} label @param {any} [options] the library's */
export function themedChart(box, label, options = {}) {
  const api = library.createChart(box, {
    autoSize: true,
    localization: { locale: "en", timeFormatter: moment, priceFormatter: price },
    crosshair: { mode: library.CrosshairMode.Normal },
    ...options,
  });
  api.applyOptions(look());
  api.timeScale().applyOptions({ timeVisible: true, secondsVisible: false, minBarSpacing: 0.3 });
  /** @type {Map<any, () => any>} */
  const made = new Map();
  onTheme(() => {
    api.applyOptions(look());
    for (const [series, make] of made) series.applyOptions(make());
  });
  box.setAttribute("role", "group");
  box.setAttribute("aria-roledescription", "chart");
  box.tabIndex = 0;

  /** @type {{from: number, to: number} | null} where it goes with the next frame: keys may come faster */
  let going = null;
  /** @param {(from: number, to: number) => [number, number]} change */
  const move = (change) => {
    const seen = going ?? api.timeScale().getVisibleLogicalRange();
    if (!seen) return;
    const [from, to] = change(seen.from, seen.to);
    going = { from, to };
    api.timeScale().setVisibleLogicalRange(going);
    requestAnimationFrame(() => (going = null));
  };
  const chart = {
    api,
    /** @param {string} kind @param {() => any} make @param {number} [pane] */
    add(kind, make, pane = 0) {
      const series = api.addSeries(KINDS[kind], make(), pane);
      made.set(series, make);
      return series;
    },
    /** @param {any} series */
    drop(series) {
      made.delete(series);
      api.removeSeries(series);
    },
    /** @param {string} text */
    describe(text) {
      box.setAttribute("aria-label", `${text} ${KEYS_TEXT}`);
    },
    /** @param {number} share of the width that is seen, negative to the past */
    shift: (share) => move((from, to) => [from + share * (to - from), to + share * (to - from)]),
    /** @param {number} factor below one shows less time */
    zoom: (factor) => move((from, to) => [to - (to - from) * factor, to]),
  };
  chart.describe(label);
  box.addEventListener("keydown", (event) => pressed(event, chart));
  return chart;
}

/** @param {KeyboardEvent} event @param {any} chart */
function pressed(event, chart) {
  const scale = chart.api.timeScale();
  const doing = /** @type {Record<string, () => void>} */ ({
    ArrowLeft: () => chart.shift(event.shiftKey ? -1 : -0.1),
    ArrowRight: () => chart.shift(event.shiftKey ? 1 : 0.1),
    "+": () => chart.zoom(0.7),
    "=": () => chart.zoom(0.7),
    "-": () => chart.zoom(1 / 0.7),
    Home: () => chart.toStart?.(),
    End: () => (chart.toEnd ? chart.toEnd() : scale.scrollToRealTime()),
  })[event.key];
  if (!doing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  doing();
}
