// @ts-check
// The market chart: asks for the bars of what is seen, draws them, and says them as text, legend and table. Exports:
//   marketChart(parts, hooks) -> {open(plan), refresh(now), zoom, shift}
// parts: elements {chart, legend, figures (in a <details>), note}. hooks: onAnswer(envelope, the second market's or
// null), onAlerts(envelope, rows seen), onAlertsError(error), onError(error).
// plan: {market, name, against, againstName, timeframe, range, indicators, percent, first, now}; times in seconds; the
// newest `range` seconds are shown, all where it is 0.

import { ask } from "./api.js";
import { themedChart } from "./chart.js";
import { timeWindow } from "./chart-window.js";
import { marketOf } from "./controls.js";
import { fill } from "./dom.js";
import { signed } from "./format.js";
import { columns } from "./indicators.js";
import { marketSeries } from "./market-series.js";
import { figures, legend, note, summary } from "./market-words.js";
import { SECONDS } from "./timeframes.js";

const iso = (/** @type {number} */ seconds) => new Date(seconds * 1000).toISOString();
const secondsOf = (/** @type {string} */ time) => Date.parse(time) / 1000;

/** @param {Record<string, HTMLElement>} parts @param {any} hooks */
export function marketChart(parts, hooks) {
  const chart = themedChart(parts.chart, "Prices.");
  const series = marketSeries(chart);
  const details = /** @type {HTMLDetailsElement} */ (parts.figures.parentElement);
  /** @type {any} */
  let plan = null;
  /** @type {any} */
  let frame = null;

  /** @param {{from: number, to: number, points: number}} asked @param {AbortSignal} signal */
  async function load(asked, signal) {
    const mine = plan;
    const span = { from: iso(asked.from), to: iso(asked.to) };
    const bars = (/** @type {string} */ key, /** @type {string[]} */ indicators) =>
      ask("candles/chart", {
        ...marketOf(key), ...span, timeframe: mine.timeframe, points: asked.points, indicators: indicators.join(","),
      }, { signal });
    const [crypto] = marketOf(mine.market).symbol.split("/");
    const alerting = ask("alerts", { crypto, ...span }, { signal }).catch((error) => {
      if (!signal.aborted) hooks.onAlertsError(error);
      return null; // the prices are worth showing without them
    });
    const [first, second, alerts] = await Promise.all([
      bars(mine.market, columns(mine.indicators)),
      mine.against ? bars(mine.against, []) : null,
      alerting,
    ]);
    const drawn = { plan: mine, ...framed(asked, SECONDS[mine.timeframe], first, second, alerts) };
    const draw = () => {
      frame = drawn;
      series.draw(drawn);
      hooks.onAnswer(first, second);
    };
    return { ...drawn, draw };
  }

  /** @param {{from: number, to: number}} view */
  function rested(view) {
    const seen = barsIn(frame, view);
    chart.describe(summary(frame.plan, frame.step, seen));
    fill(parts.note, note(frame.plan, frame.step, seen, barsIn(frame, view, frame.second)));
    newest();
    if (details.open) fill(parts.figures, figures(frame.plan, frame.step, seen));
    const rows = frame.alertsAnswer?.data ?? [];
    if (frame.alertsAnswer) {
      hooks.onAlerts(frame.alertsAnswer, rows.filter((/** @type {any} */ row) => {
        const at = secondsOf(row.triggered_at);
        return view.from <= at && at < view.to;
      }));
    }
  }

  function newest() {
    const bar = barsIn(frame, pane.view()).pop();
    legend(parts.legend, frame.plan, bar, bar && frame.second?.get(placeOf(bar, frame)));
  }

  const finest = () => SECONDS[plan?.timeframe] ?? SECONDS["1h"];
  const pane = timeWindow(chart, parts.chart, load, { onView: rested, onError: hooks.onError, finest });
  chart.api.subscribeCrosshairMove((/** @type {any} */ at) => {
    if (!frame) return;
    if (at.time === undefined) return newest();
    const place = Math.round((at.time - frame.start) / frame.step);
    legend(parts.legend, frame.plan, frame.bars.get(place), frame.second?.get(place));
  });
  details.addEventListener("toggle", () => {
    if (frame && details.open) fill(parts.figures, figures(frame.plan, frame.step, barsIn(frame, pane.view())));
  });

  return {
    /** @param {any} next */
    open(next) {
      const same = ["market", "timeframe", "range"].every((name) => plan?.[name] === next[name]);
      plan = next;
      series.choose({ indicators: plan.indicators, against: plan.against && plan.againstName, percent: plan.percent });
      const bounds = { from: plan.first, to: plan.now };
      if (same && frame) return pane.reload(bounds);
      const from = plan.range ? Math.max(plan.first, plan.now - plan.range) : plan.first;
      return pane.show({ from, to: plan.now }, bounds);
    },
    /** @param {number} now */
    refresh: (now) => plan && pane.reload({ from: plan.first, to: now }),
    zoom: chart.zoom,
    shift: chart.shift,
  };
}

/** Bars by their place in a grid without holes. @param {{from: number, to: number, points: number}} asked
 * @param {number} finest @param {any} first @param {any} second @param {any} alerts */
function framed(asked, finest, first, second, alerts) {
  const coarse = Math.ceil((asked.to - asked.from) / asked.points / finest) * finest;
  const step = Number((first.data[0] ?? second?.data[0])?.bar_seconds ?? coarse);
  const start = Math.floor(asked.from / step) * step;
  const grid = { start, step };
  const placed = (/** @type {any[]} */ rows) => new Map(rows.map((row) => [placeOf(row, grid), row]));
  return {
    ...grid,
    count: Math.max(1, Math.ceil((asked.to - start) / step)),
    bars: placed(first.data),
    second: second && placed(second.data),
    alertsAnswer: alerts,
    alerts: (alerts?.data ?? []).map((/** @type {any} */ row) => ({
      at: secondsOf(row.triggered_at), direction: row.direction, text: signed(row.change_percent, 1).slice(2),
    })),
  };
}

/** @param {any} bar @param {{start: number, step: number}} grid */
function placeOf(bar, grid) {
  return Math.round((secondsOf(bar.opened_at) - grid.start) / grid.step);
}

/** @param {any} frame @param {{from: number, to: number}} view @param {Map<number, any> | null} [bars]
 * @returns {any[]} by time */
function barsIn(frame, view, bars = frame?.bars) {
  return [...(bars?.values() ?? [])].filter((bar) => {
    const at = secondsOf(bar.opened_at);
    return at + frame.step > view.from && at < view.to;
  });
}
