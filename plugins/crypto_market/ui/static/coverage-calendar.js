// @ts-check
// One year of one series as a grid: a row per month, a cell per day, moved through by arrow keys. Exports:
//   calendar(year, days, {chosen, focused, label, look, choose}) -> the table; legend() -> what its marks mean.
// days: rows of /coverage/days by date. Hovering or focusing a day calls look with its name ("" when it is left);
// a click, Enter or Space calls choose with its date.

import { depthOf, kindOf, KINDS, monthsOf, nameOf, NONE, WHOLE } from "./coverage-days.js";
import { element } from "./dom.js";

/** @typedef {{chosen: string, focused?: string, label: string,
 *   look: (name: string) => void, choose: (date: string) => void}} Wishes */

/** @param {number} year @param {Map<string, Record<string, any>>} days @param {Wishes} wishes */
export function calendar(year, days, { chosen, focused, label, look, choose }) {
  const months = monthsOf(year);
  const cells = new Map(months.flatMap((month) => month.days.map((date) => [date, cellOf(date, days.get(date))])));
  const dates = [...cells.keys()];

  /** One stop for the tab key. @param {string | undefined} date */
  const stopAt = (date) => cells.forEach((cell, each) => (cell.tabIndex = each === date ? 0 : -1));
  /** @param {string} date */
  const select = (date) => cells.forEach((cell, each) => cell.setAttribute("aria-selected", String(each === date)));
  const known = [focused, chosen, dates.find((date) => days.get(date)?.expected), dates[0]];
  stopAt(known.find((date) => date !== undefined && cells.has(date)));
  if (cells.has(focused)) requestAnimationFrame(() => cells.get(focused).focus()); // one that takes another's place
  select(chosen);

  /** @param {Event} event */
  const dateOf = (event) => /** @type {HTMLElement} */ (event.target).dataset.day;
  /** @param {string} date */
  const chooseAt = (date) => {
    stopAt(date);
    cells.get(date).focus();
    select(date);
    choose(date);
  };
  /** @param {KeyboardEvent} event */
  const onkeydown = (event) => {
    const date = dateOf(event);
    if (!date) return;
    const next = event.key === "Enter" || event.key === " " ? date : goal(months, dates, date, event);
    if (!next) return;
    event.preventDefault();
    if (next === date) return void chooseAt(date);
    stopAt(next);
    cells.get(next).focus();
  };
  /** @param {Event} event */
  const onclick = (event) => {
    const date = dateOf(event);
    if (date) chooseAt(date);
  };
  /** @param {Event} event */
  const onlook = (event) => look(cells.get(dateOf(event))?.getAttribute("aria-label") ?? "");

  const numbers = Array.from({ length: 31 }, (_, day) => element("th", { scope: "col" }, String(day + 1)));
  const head = element("tr", {}, element("th", { scope: "col" }, "Month"), ...numbers);
  const rows = months.map((month) =>
    element("tr", {}, element("th", { scope: "row" }, month.name), ...month.days.map((date) => cells.get(date))));
  const events = { onclick, onkeydown, onmouseover: onlook, onfocusin: onlook, onmouseleave: () => look("") };
  const body = element("tbody", events, ...rows);
  return element("table", { class: "calendar", role: "grid", "aria-label": label }, element("thead", {}, head), body);
}

export function legend() {
  const entries = [WHOLE, ...KINDS, NONE].map(({ state, mark, words }) => {
    const sign = { class: "day", "data-state": state, "data-depth": "4", "aria-hidden": "true" };
    return element("li", {}, element("span", sign, mark), words);
  });
  return element("ul", { class: "legend", "aria-label": "What the marks mean" }, ...entries);
}

/** @param {string} date @param {Record<string, any> | undefined} day */
function cellOf(date, day) {
  const { state, mark } = kindOf(day);
  const figures = { "data-expected": day?.expected, "data-observed": day?.observed, "data-unknown": day?.unknown };
  const data = { "data-day": date, "data-state": state, "data-depth": depthOf(day), ...figures };
  return element("td", { class: "day", role: "gridcell", "aria-label": nameOf(date, day), ...data }, mark);
}

/**
 * Where a key leads to: left and right through the months' ends, up and down by months.
 * @param {ReturnType<typeof monthsOf>} months @param {string[]} dates @param {string} date @param {KeyboardEvent} event
 * @returns {string | undefined} none for any other key, or at the year's end
 */
function goal(months, dates, date, { key, ctrlKey }) {
  const place = dates.indexOf(date);
  const month = Number(date.slice(5, 7)) - 1;
  const day = Number(date.slice(8)) - 1;
  /** @param {number} other */
  const sameDayOf = (other) => months[other]?.days[Math.min(day, months[other].days.length - 1)];
  switch (key) {
    case "ArrowRight":
      return dates[place + 1];
    case "ArrowLeft":
      return dates[place - 1];
    case "ArrowDown":
      return sameDayOf(month + 1);
    case "ArrowUp":
      return sameDayOf(month - 1);
    case "Home":
      return ctrlKey ? dates[0] : months[month].days[0];
    case "End":
      return ctrlKey ? dates[dates.length - 1] : months[month].days[months[month].days.length - 1];
    default:
      return undefined;
  }
}
