// @ts-check
// The page Coverage: the calendar of one series and year with its holes and revisions, then what all series have in
// common. The calendar does not wait for the equation of every series, which takes longest.

import { ask } from "./api.js";
import { calendar, legend } from "./coverage-calendar.js";
import { dayAfter } from "./coverage-days.js";
import { seriesName, seriesTable, yearsOf } from "./coverage-series.js";
import { budgetsTable, holesTable, quarantineTable, revisionsTable } from "./coverage-tables.js";
import { choices, marketOf, marketSelect, markets, select, timeframeSelect } from "./controls.js";
import { byId, element, fill } from "./dom.js";
import { keepFresh } from "./fresh.js";
import { part, untold } from "./part.js";
import { banner, show } from "./trust.js";

const FORBIDDEN =
  "Not shown with your Airflow role: it tells about hosts and what they answered, word for word. It takes the right " +
  "to read connections; an administrator of this Airflow can grant a role that has it.";
const state = choices({ market: "binance:BTC/USDT", timeframe: "1h", year: "", day: "" });
const controls = byId("controls");

function series() {
  return { ...marketOf(state.get("market")), timeframe: state.get("timeframe") };
}

/** What is chosen, from midnight to midnight. @param {string} from @param {string} to */
function within(from, to) {
  return { ...series(), from: `${from}T00:00:00Z`, to: `${to}T00:00:00Z` };
}

function wholeYear() {
  const year = Number(state.get("year"));
  return within(`${year}-01-01`, `${year + 1}-01-01`);
}

/** @returns {{path: string, params: Record<string, any>} | null} null before a market is known */
function question() {
  return state.get("year") ? { path: "coverage/days", params: { ...wholeYear(), limit: 366 } } : null;
}

const saw = keepFresh(question, (answer) => banner(byId("trust"), answer), () => {
  showYear();
  showEverySeries();
});

/** Everything that hangs on the chosen series and year. */
function showYear() {
  const year = Number(state.get("year"));
  const asked = wholeYear();
  const label = `${seriesName(series())} in ${year}, a row per month and a cell per day`;
  part(byId("calendar"), { path: "", ...question(), strip: byId("trust") }, (answer) => {
    saw(answer);
    const days = new Map(answer.data.map((row) => [row.day, row]));
    const look = (/** @type {string} */ name) => void (byId("look").textContent = name);
    const choose = (/** @type {string} */ day) => state.set({ day });
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.day;
    const grid = calendar(year, days, { chosen: state.get("day"), focused, label, look, choose });
    return [element("div", { class: "scroll" }, grid)];
  });
  part(byId("revisions"), { path: "revisions", params: asked }, (answer) => [revisionsTable(answer.data)]);
  showHoles();
}

/** The holes of the chosen day, else of the year. */
function showHoles() {
  const [year, day] = [state.get("year"), state.get("day")];
  const asked = day ? within(day, dayAfter(day)) : wholeYear();
  byId("whole-year").hidden = !day;
  part(byId("holes"), { path: "coverage/holes", params: asked }, (answer) => [
    holesTable(answer.data, `Holes of ${seriesName(series())} ${day ? `on ${day}` : `in ${year}`}`),
  ]);
}

function showEverySeries() {
  const choose = (/** @type {any} */ row) =>
    state.set({ market: `${row.venue}:${row.symbol}`, timeframe: row.timeframe, day: "" });
  part(byId("series"), { path: "coverage" }, (answer) => [seriesTable(answer.data, choose)]);
}

/** What not everybody may see; it is not asked for in vain. @param {HTMLElement} place @param {any} question
 * @param {(rows: any[]) => Node} draw */
function showMachinery(place, question, draw) {
  return show(place, async () => {
    const rights = /** @type {any} */ (await ask("../../rights"));
    if (rights.machinery) await part(place, question, (answer) => [draw(answer.data)]);
    else fill(place, element("p", { class: "empty" }, FORBIDDEN));
  });
}

/** Offers what the chosen market has; a choice that it has not becomes its first. @param {any[]} rows */
function offer(rows) {
  const market = rows.find((row) => row.key === state.get("market")) ?? rows[0];
  const years = yearsOf(market);
  const year = years.includes(state.get("year")) ? state.get("year") : years[0];
  const day = state.get("day").startsWith(year) ? state.get("day") : "";
  state.set({ market: market.key, year, day });
  timeframeSelect(controls, state, market.timeframes);
  select(controls, state, "year", "Year, UTC", years.map((each) => ({ value: each, label: each })));
}

async function begin() {
  const rows = await markets().catch((error) => {
    untold(byId("trust"));
    throw error;
  });
  if (!rows.length) return void fill(byId("calendar"), element("p", { class: "empty" }, "No market is known yet."));
  const box = marketSelect(controls, state, rows);
  offer(rows);
  showYear();
  let offering = false; // what is offered may change the choices once more
  state.onChange((changed) => {
    if (offering) return;
    if (changed.join() === "day") return void showHoles();
    offering = true;
    box.value = state.get("market");
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.getAttribute("name");
    offer(rows);
    /** @type {HTMLElement | null} */ (controls.querySelector(`select[name="${focused}"]`))?.focus();
    offering = false;
    showYear();
  });
}

fill(byId("legend"), legend());
byId("whole-year").addEventListener("click", () => state.set({ day: "" }));
show(byId("calendar"), begin);
showEverySeries();
showMachinery(byId("quarantine"), { path: "quarantine", params: { limit: 200 } }, quarantineTable);
showMachinery(byId("budgets"), { path: "budgets" }, budgetsTable);
