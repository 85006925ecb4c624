// @ts-check
// What is drawn on the market chart: candles, volume, indicators, a second market, alerts. Exports:
//   marketSeries(chart) -> {choose(plan), draw(frame), priceOf}
// plan: {indicators, against (a market's name or null), percent}. frame: {start, step, count, bars (rows of
// /candles/chart by place in the grid), second (the same of the second market), alerts [{at, direction, text}]}.

import { createSeriesMarkers, LineStyle, PriceScaleMode } from "./chart.js";
import { colour, onTheme } from "./theme.js";

/** @typedef {{indicators: import("./indicators.js").Indicator[], against: string | null, percent: boolean}} Plan */
/** @typedef {{start: number, step: number, count: number, bars: Map<number, any>, second: Map<number, any> | null,
 *   alerts: {at: number, direction: string, text: string}[]}} Drawn */

const MANY_ALERTS = 40; // beyond, arrows go without their text

// Hollow when the price rose and filled when it fell: the shape says it without the colour.
const candleLook = () => ({
  upColor: colour("panel"), borderUpColor: colour("up"), wickUpColor: colour("up"),
  downColor: colour("down"), borderDownColor: colour("down"), wickDownColor: colour("down"),
});

/** @param {any} chart of themedChart */
export function marketSeries(chart) {
  const candles = chart.add("Candlestick", candleLook);
  const markers = createSeriesMarkers(candles, []);
  const volume = chart.add("Histogram", () => ({
    priceScaleId: "volume", color: colour("line"), priceFormat: { type: "volume" }, lastValueVisible: false,
    priceLineVisible: false,
  }));
  volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 }, visible: false });
  // The library scrolls no further than the last value: an unseen one at either end keeps the whole grid in reach.
  const ruler = chart.add("Line", () => ({ visible: false, priceScaleId: "ruler", lastValueVisible: false }));
  /** @type {{series: any, value: (bar: any) => any}[]} */
  let extra = [];
  /** @type {any} */
  let second = null;
  /** @type {Drawn | null} */
  let drawn = null;

  function point() {
    const arrows = drawn?.alerts.map((alert) => marker(alert, /** @type {Drawn} */ (drawn))) ?? [];
    // One arrow a bar and direction, or those of years would stand on each other.
    markers.setMarkers([...new Map(arrows.map((arrow) => [`${arrow.time} ${arrow.shape}`, arrow])).values()]);
  }
  onTheme(point);

  /** @param {import("./indicators.js").Indicator} each @param {number} pane */
  function addIndicator(each, pane) {
    const alone = each.own && each.lines.length === 1; // labels of several would lie over each other
    for (const line of each.lines) {
      const series = chart.add(line.histogram ? "Histogram" : "Line", () => ({
        color: colour(line.colour), lineWidth: 1, title: alone ? line.label : "", priceLineVisible: false,
        lastValueVisible: alone, crosshairMarkerVisible: false,
      }), pane);
      extra.push({ series, value: (bar) => bar[line.field] });
    }
    for (const level of each.levels ?? []) {
      const style = { color: colour("muted"), lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: false };
      extra[extra.length - 1].series.createPriceLine({ price: level, ...style });
    }
  }

  return {
    candles,
    /** @param {Plan} plan */
    choose(plan) {
      extra.forEach((each) => chart.drop(each.series));
      if (second) chart.drop(second);
      [extra, second] = [[], null];
      const own = plan.indicators.filter((each) => each.own);
      // A line in percent starts at zero at the left edge: means of the price would not lie where they belong.
      if (!plan.percent) plan.indicators.filter((each) => !each.own).forEach((each) => addIndicator(each, 0));
      own.forEach((each, place) => addIndicator(each, place + 1));
      for (const pane of chart.api.panes()) pane.setStretchFactor(pane.paneIndex() ? 1 : 3.2);
      if (plan.against) {
        second = chart.add("Line", () => ({
          color: colour("series-5"), lineWidth: 2, title: plan.against, priceLineVisible: false,
          priceScaleId: plan.percent ? "right" : "left",
        }));
      }
      const mode = plan.percent ? PriceScaleMode.Percentage : PriceScaleMode.Normal;
      chart.api.applyOptions({ leftPriceScale: { visible: Boolean(plan.against) && !plan.percent } });
      chart.api.priceScale("right").applyOptions({ mode });
    },
    /** @param {Drawn} frame */
    draw(frame) {
      /** @param {Map<number, any>} rows @param {(bar: any) => any} point */
      const grid = (rows, point) =>
        Array.from({ length: frame.count }, (_, place) => {
          const time = frame.start + place * frame.step;
          const bar = rows.get(place);
          return { time, ...(bar ? point(bar) : {}) };
        });
      /** @param {any} value */
      const one = (value) => (value === null || value === undefined ? {} : { value: Number(value) });
      const last = { time: frame.start + (frame.count - 1) * frame.step, value: 0 };
      ruler.setData(frame.count > 1 ? [{ time: frame.start, value: 0 }, last] : [last]);
      candles.setData(grid(frame.bars, ({ open, high, low, close }) => ({ open, high, low, close })));
      volume.setData(grid(frame.bars, (bar) => one(bar.volume)));
      for (const { series, value } of extra) series.setData(grid(frame.bars, (bar) => one(value(bar))));
      if (second) second.setData(frame.second ? grid(frame.second, (bar) => one(bar.close)) : []);
      drawn = frame;
      point();
    },
  };
}

/** @param {{at: number, direction: string, text: string}} alert @param {Drawn} frame */
function marker(alert, frame) {
  const up = alert.direction === "up";
  return {
    time: frame.start + Math.floor((alert.at - frame.start) / frame.step) * frame.step,
    position: up ? "belowBar" : "aboveBar",
    shape: up ? "arrowUp" : "arrowDown",
    color: colour(up ? "up" : "down"),
    text: frame.alerts.length > MANY_ALERTS ? "" : alert.text,
  };
}
