// @ts-check
// The page Forecasts: what is forecast now and by whom, how it has turned out, and on what evidence it is served.

import { ask } from "./api.js";
import { choices, segments, select } from "./controls.js";
import { byId, element, fill } from "./dom.js";
import { calibrationPlot, calibrationTable, directionPlot, directionTable } from "./forecasts-calibration.js";
import { forecastChart, historyTable } from "./forecasts-chart.js";
import { latestTable, serving } from "./forecasts-latest.js";
import { modelsTable, promotionsTable } from "./forecasts-models.js";
import { scoreboardTable } from "./forecasts-scoreboard.js";
import { seriesName } from "./forecasts-words.js";
import { keepFresh } from "./fresh.js";
import { part, untold } from "./part.js";
import { banner, show } from "./trust.js";

const RANGES = { 3: "3 days", 7: "1 week", 30: "1 month", 90: "3 months", 365: "1 year" };
const WINDOWS = ["7 days", "30 days", "90 days", "all"];
const MOST_BARS = 1500;
const MOST_PAGES = 9; // of 1000 forecasts: a year of hours
const state = choices({ market: "binance:BTC/USDT", horizon: "PT24H", range: "7", window: "90 days" });
/** @type {ReturnType<typeof forecastChart> | null} */
let chart = null;
let asOf = "";
let isBegun = false;

/** @param {Record<string, any>} row */
const keyOf = ({ venue, symbol, horizon }) => [venue, symbol, horizon].join(":");
const chosen = () => `${state.get("market")}:${state.get("horizon")}`;

function series() {
  const [venue, symbol] = state.get("market").split(":");
  return { venue, symbol, horizon: state.get("horizon") };
}

/** @param {boolean} isOther whether something else is shown than before */
function showHistory(isOther) {
  const name = seriesName(series());
  const from = new Date(Date.parse(asOf) - Number(state.get("range")) * 86_400_000).toISOString();
  part(byId("history"), { path: "forecasts", params: { ...series(), from }, pages: MOST_PAGES }, ({ data }) => {
    if (data.length) drawn().drawForecasts(data, name, isOther);
    return [historyTable(data, name, byId("history").querySelector("details[open]") !== null)];
  });
  const { venue, symbol } = series();
  part(byId("happened"), { path: "candles/chart", params: { venue, symbol, timeframe: "1h", from, points: MOST_BARS } },
    ({ data }) => {
      drawn().drawHappened(data, isOther);
      return [];
    });
}

/** The chart, made once it can be seen. */
function drawn() {
  if (!chart) {
    chart = forecastChart(byId("chart"));
    chart.onLook((words) => void (byId("look").textContent = words));
  }
  return chart;
}

function showDirection() {
  const [asked, name] = [{ ...series(), window: state.get("window") }, seriesName(series())];
  part(byId("direction"), { path: "calibration/direction", params: asked }, ({ data }) =>
    [data.length ? directionPlot(data, name) : null, directionTable(data, name)]);
}

function showWindow() {
  const params = { window: state.get("window") };
  part(byId("calibration"), { path: "calibration", params }, ({ data }) =>
    [data.length ? calibrationPlot(data) : null, calibrationTable(data)]);
  part(byId("scoreboard"), { path: "scoreboard", params }, ({ data }) => [scoreboardTable(data)]);
}

/** The choices, once it is known what there is to choose from. @param {any[]} rows of /forecasts/latest */
function begin(rows) {
  if (!rows.some((row) => keyOf(row) === chosen())) choose(keyOf(rows[0]));
  const options = rows.map((row) => ({ value: keyOf(row), label: seriesName(row) }));
  const box = element("select", { onchange: () => choose(box.value) },
    ...options.map(({ value, label }) => element("option", { value, selected: value === chosen() }, label)));
  byId("controls").append(element("label", { class: "choice" }, element("span", {}, "Market and horizon"), box));
  select(byId("controls"), state, "range", "Range",
    Object.entries(RANGES).map(([value, label]) => ({ value, label })));
  byId("picture").hidden = false;
  showHistory(true);
  showDirection();
  state.onChange((changed) => {
    if (changed.some((name) => ["market", "horizon", "range"].includes(name))) showHistory(true);
    if (changed.some((name) => ["market", "horizon", "window"].includes(name))) showDirection();
  });
  isBegun = true;
}

/** @param {string} key */
function choose(key) {
  const [venue, symbol, horizon] = key.split(":");
  state.set({ market: `${venue}:${symbol}`, horizon });
}

async function showLatest() {
  const asking = ask("models").catch(() => null); // a failure is told where they are listed
  const answer = await ask("forecasts/latest").catch((error) => {
    untold(byId("trust"));
    throw error;
  });
  saw(answer);
  told(answer);
  fill(byId("latest"), latestTable(answer.data));
  const none = () => element("p", { class: "empty" }, "No forecast has been made yet.");
  if (!answer.data.length) ["history", "direction"].forEach((place) => fill(byId(place), none()));
  else if (!isBegun) begin(answer.data);
  const models = await asking;
  fill(byId("served"), models && answer.data.length ? serving(answer.data, models.data) : null);
}

/** @param {import("./api.js").Envelope} answer of /forecasts/latest */
function told(answer) {
  banner(byId("trust"), answer);
  asOf = answer.as_of;
}

function showEvidence() {
  showWindow();
  part(byId("promotions"), { path: "promotions", params: { limit: 500 } }, ({ data }) => [promotionsTable(data)]);
  part(byId("models"), { path: "models" }, ({ data }) => [modelsTable(data)]);
}

const saw = keepFresh(() => ({ path: "forecasts/latest" }), told, () => {
  show(byId("latest"), showLatest);
  showEvidence();
  if (!isBegun) return;
  showHistory(false);
  showDirection();
});
segments(byId("windows"), state, "window", "Window", WINDOWS.map((each) => ({ value: each, label: each })));
state.onChange((changed) => void (changed.includes("window") && showWindow()));
show(byId("latest"), showLatest);
showEvidence();
