// @ts-check
// The market page: its choices, and who draws what of them.

import { ask, Problem } from "./api.js";
import { choices, marketOf, markets, marketSelect, segments, select, timeframeSelect } from "./controls.js";
import { byId, element, fill } from "./dom.js";
import { chosen, INDICATORS } from "./indicators.js";
import { marketChart } from "./market-chart.js";
import { alerts, rankings, sentiment, venues } from "./market-side.js";
import { banner, failed, show, waiting } from "./trust.js";

const AGAIN_MILLISECONDS = 60_000;
const DAY = 86_400;
const TIMEFRAMES = ["1h", "1d"]; // of a market that has no candle yet
const RANGES = [["1d", DAY], ["1w", 7 * DAY], ["1m", 30 * DAY], ["3m", 91 * DAY], ["1y", 365 * DAY], ["all", 0]];

const state = choices({
  market: "binance:BTC/USDT", timeframe: "1h", range: "1m", indicators: "sma,rsi", against: "", scale: "percent",
});
const [controls, trust, trouble, prices] = ["controls", "trust", "trouble", "prices"].map(byId);
/** @type {any[]} */
let known = [];
let said = "";

const chart = marketChart(
  { chart: byId("chart"), legend: byId("legend"), figures: byId("figures"), note: byId("note") },
  {
    /** @param {any} first @param {any} second */
    onAnswer(first, second) {
      trouble.replaceChildren();
      trouble.removeAttribute("aria-busy");
      prices.hidden = false;
      prices.removeAttribute("aria-busy");
      const reasons = [...first.reasons, ...(second?.reasons ?? [])];
      const both = { ...first, reasons, verdict: reasons.length ? "abstained" : "answered" };
      // A status is read out whenever it is written: only what is new.
      const { world, complete_until: until, completeness_percent: share } = both;
      const facts = JSON.stringify([world, reasons, until, share, both.as_of.slice(0, 16)]);
      if (facts !== said) banner(trust, both);
      said = facts;
    },
    /** @param {any} envelope @param {any[]} rows */
    onAlerts: (envelope, rows) => alerts(byId("alerts"), envelope, rows),
    onAlertsError: (/** @type {any} */ error) => failed(byId("alerts"), error, open),
    onError: (/** @type {any} */ error) => fail(error, open),
  },
);

/** Nothing is said of what is not there, neither prices nor their trust.
 * @param {any} error @param {() => void} again */
function fail(error, again) {
  [prices.hidden, said] = [true, ""];
  trust.className = "";
  fill(trust);
  prices.removeAttribute("aria-busy");
  fill(byId("alerts"), element("p", { class: "empty" }, "Not asked for while there are no prices."));
  failed(trouble, error, again);
}

function open() {
  const named = (/** @type {string} */ key) => `${marketOf(key).venue} ${marketOf(key).symbol}`;
  const row = known.find((each) => each.key === state.get("market"));
  const now = Date.parse(row.as_of) / 1000;
  prices.setAttribute("aria-busy", "true");
  byId("prices-title").textContent = named(row.key);
  const against = state.get("against") === row.key ? "" : state.get("against");
  void chart.open({
    market: row.key, name: named(row.key), against, againstName: against && named(against),
    timeframe: state.get("timeframe"), range: RANGES.find(([name]) => name === state.get("range"))?.[1] ?? 0,
    indicators: chosen(state.get("indicators")), percent: Boolean(against) && state.get("scale") === "percent",
    // Of a market without a candle the answer itself says why there is none.
    first: Math.min(Date.parse(row.first_opened_at ?? row.listed_at) / 1000, now - DAY), now,
  });
}

function draw() {
  marketSelect(controls, state, known);
  const row = known.find((each) => each.key === state.get("market"));
  timeframeSelect(controls, state, row?.timeframes.length ? row.timeframes : TIMEFRAMES);
  const others = known.filter((each) => each !== row);
  marketSelect(controls, state, others, { name: "against", label: "Beside it", none: "no other" });
}

function furnish() {
  draw();
  segments(controls, state, "range", "Range", RANGES.map(([name]) => ({ value: String(name), label: String(name) })));
  const scales = [{ value: "percent", label: "in percent" }, { value: "own", label: "own scales" }];
  select(controls, state, "scale", "Two markets", scales);
  controls.append(picks());
  const button = (/** @type {string} */ sign, /** @type {string} */ label, /** @type {() => void} */ onclick) =>
    element("button", { type: "button", "aria-label": label, title: label, onclick }, sign);
  fill(byId("moves"), button("◀", "Earlier", () => chart.shift(-0.5)), button("▶", "Later", () => chart.shift(0.5)),
    button("+", "Zoom in", () => chart.zoom(0.6)), button("−", "Zoom out", () => chart.zoom(1 / 0.6)));
}

/** Which indicators, as boxes to tick. */
function picks() {
  const set = element("fieldset", {}, element("legend", { class: "unseen" }, "Indicators"));
  const title = element("summary");
  const write = () => {
    title.textContent = `Indicators (${chosen(state.get("indicators")).length})`;
  };
  for (const each of INDICATORS) {
    const checked = chosen(state.get("indicators")).includes(each);
    const box = element("input", { type: "checkbox", name: "indicator", value: each.name, checked, onchange: () => {
      const ticked = [...set.querySelectorAll("input:checked")].map((input) => /** @type {any} */ (input).value);
      state.set({ indicators: ticked.join(",") });
      write();
    } });
    set.append(element("label", {}, box, ` ${each.label}`));
  }
  write();
  const whole = element("details", { class: "picks" }, title, set);
  whole.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") [whole.open, title.tabIndex] = [false, 0];
    if (event.key === "Escape") title.focus();
  });
  return whole;
}

function side() {
  const [crypto] = marketOf(state.get("market")).symbol.split("/");
  const symbols = [...new Set(known.map((row) => row.symbol).filter((symbol) => symbol.split("/")[0] === crypto))];
  void show(byId("venues"), () => venues(byId("venues"), crypto, symbols));
  void show(byId("sentiment"), () => sentiment(byId("sentiment")));
  void show(byId("rankings"), () => rankings(byId("rankings")));
}

async function start() {
  waiting(trouble);
  try {
    known = await markets();
    if (!known.length) throw new Problem(404, "No market", "this warehouse knows no market yet");
    if (!controls.childElementCount) furnish();
    open();
  } catch (error) {
    fail(error, start);
  }
  side();
}

state.onChange((changed) => {
  if (changed.includes("market")) {
    draw();
    side();
  }
  open();
});
controls.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
setInterval(async () => {
  if (document.hidden) return;
  if (!known.length) return start();
  side();
  try {
    const look = await ask("instruments");
    void chart.refresh(Date.parse(look.as_of) / 1000);
  } catch (error) {
    fail(error, start);
  }
}, AGAIN_MILLISECONDS);
void start();
