// @ts-check
// What the market chart shows, in words: for its legend, its table, its note and who cannot see it. Exports:
//   legend(element, plan, bar, other), figures(plan, step, seen) -> table, summary(plan, step, seen) -> text,
//   note(plan, step, seen, others) -> text.
// plan: see market-chart.js. bar, seen: rows of /candles/chart; other, others: the second market's.

import { marketOf } from "./controls.js";
import { element, fill } from "./dom.js";
import { age, moment, number, price, signed } from "./format.js";
import { table } from "./table.js";
import { SECONDS } from "./timeframes.js";

const MOST_ROWS = 250;

/** @param {any} plan @returns {import("./indicators.js").Line[]} */
const linesOf = (plan) => plan.indicators.flatMap((/** @type {any} */ each) => each.lines);
const nothing = (/** @type {any} */ value) => value === null || value === undefined;

/** @param {HTMLElement} parent @param {any} plan @param {any} bar @param {any} [other] */
export function legend(parent, plan, bar, other) {
  if (!bar) return void fill(parent, "no candle here");
  const [base] = marketOf(plan.market).symbol.split("/");
  fill(
    parent,
    element("strong", {}, moment(bar.opened_at)),
    ...["open", "high", "low", "close"].map((name) => element("span", {}, `${name} ${price(bar[name])}`)),
    element("span", { class: bar.close < bar.open ? "down" : "up" }, signed((100 * (bar.close - bar.open)) / bar.open)),
    element("span", {}, `volume ${number(bar.volume)} ${base}`),
    other ? key("series-5", `${plan.againstName} ${price(other.close)}`) : null,
    ...linesOf(plan).map((line) => key(line.colour, `${line.label} ${price(bar[line.field])}`)),
  );
}

/** @param {string} colour @param {string} text */
function key(colour, text) {
  return element("span", { class: "key" }, element("i", { style: `background: var(--${colour})` }), text);
}

/** @param {any} plan @param {number} step @param {any[]} seen */
export function figures(plan, step, seen) {
  const rows = seen.slice(-MOST_ROWS).reverse();
  const cut = seen.length > rows.length ? `, the newest ${rows.length} of ${seen.length} seen` : "";
  const exact = (/** @type {string} */ name) => ({ key: name, label: name, kind: "number", format: price });
  return table(
    rows,
    [
      { key: "opened_at", label: "opened at", kind: "time" },
      ...["open", "high", "low", "close"].map(exact),
      { key: "volume", label: "volume", kind: "number" },
      { key: "candles", label: "candles", kind: "number", hint: "how many candles the bar sums up" },
      ...linesOf(plan).map((line) => ({ ...exact(line.field), label: line.label })),
    ],
    { caption: `${plan.name}, bars of ${age(step)}, newest first${cut}`, empty: "No candle in what is seen." },
  );
}

/** @param {any} plan @param {number} step @param {any[]} seen */
export function summary(plan, step, seen) {
  if (!seen.length) return `Candlestick chart of ${plan.name}: no candle in what is seen.`;
  const [first, last] = [seen[0], seen[seen.length - 1]];
  const low = Math.min(...seen.map((bar) => bar.low));
  const high = Math.max(...seen.map((bar) => bar.high));
  return [
    `Candlestick chart of ${plan.name}, bars of ${age(step)},`,
    `${moment(first.opened_at)} to ${moment(last.opened_at)}:`,
    `opens ${price(first.open)}, closes ${price(last.close)}, lowest ${price(low)}, highest ${price(high)}.`,
  ].join(" ");
}

/** @param {any} plan @param {number} step @param {any[]} seen @param {any[]} others of the second market */
export function note(plan, step, seen, others) {
  const many = Math.round(step / SECONDS[plan.timeframe]);
  const said = [
    many > 1
      ? `Each bar sums up ${many} candles of ${plan.timeframe}; zoom in for finer ones.`
      : `Each bar is one candle of ${plan.timeframe}.`,
  ];
  if (plan.against) said.push(...ofTwo(plan, step, seen, others));
  const blank = plan.indicators.filter((/** @type {any} */ each) =>
    each.lines.every((/** @type {any} */ line) => seen.every((bar) => nothing(bar[line.field]))));
  if (blank.length && seen.length) {
    said.push(`Not computed for what is seen: ${blank.map((/** @type {any} */ each) => each.label).join(", ")}.`);
  }
  return said.join(" ");
}

/** @param {any} plan @param {number} step @param {any[]} seen @param {any[]} others */
function ofTwo(plan, step, seen, others) {
  if (!others.length) return [`${plan.againstName} has no candle in what is seen.`];
  const [mine, theirs] = [plan.market, plan.against].map((each) => marketOf(each).symbol.split("/")[1]);
  const begins = others[0].opened_at;
  const late = seen.length && Date.parse(begins) - Date.parse(seen[0].opened_at) > 1000 * step;
  const since = late
    ? `Each in percent since its own first candle seen; that of ${plan.againstName} is of ${moment(begins)}.`
    : "Both in percent since the left edge.";
  return [
    plan.percent ? `${since} Means and bands would not lie true there: they are left out.` : "",
    plan.percent ? "" : "The second market has its own scale, on the left.",
    mine === theirs ? "" : `${mine} and ${theirs} are different quotes; nothing is converted.`,
  ].filter(Boolean);
}
