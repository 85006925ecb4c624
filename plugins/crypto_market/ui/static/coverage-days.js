// @ts-check
// What a day of the calendar is called and marked with. Exports: KINDS, WHOLE, kindOf(day), nameOf(date, day),
// depthOf(day), monthsOf(year), dayAfter(date). A day is a row of /coverage/days; dates are `YYYY-MM-DD`, UTC.

/** Worst first: a day is marked by the worst that it has. `mark` stands for it where colour cannot. */
export const KINDS = [
  { state: "unknown", mark: "?", words: "unknown: neither held nor explained" },
  { state: "outage", mark: "×", words: "outage: the venue was down" },
  { state: "empty", mark: "○", words: "empty: the venue had no trade" },
  { state: "out_of_reach", mark: "–", words: "out of reach: no source goes back so far" },
  { state: "pending", mark: "…", words: "pending: closed a moment ago" },
];
export const WHOLE = { state: "whole", mark: "", words: "every candle held" };
export const NONE = { state: "none", mark: "", words: "no candle expected" };

/** @param {Record<string, any> | undefined} day */
export function kindOf(day) {
  if (!day?.expected) return NONE;
  return KINDS.find((kind) => day[kind.state] > 0) ?? WHOLE;
}

/** E.g. `2024-03-05: 23 of 24 candles, 1 outage`. @param {string} date @param {Record<string, any> | undefined} day */
export function nameOf(date, day) {
  if (!day?.expected) return `${date}: no candle expected`;
  const missing = KINDS.filter((kind) => day[kind.state] > 0).map(
    (kind) => `, ${day[kind.state]} ${kind.state.replaceAll("_", " ")}`,
  );
  const candles = day.expected === 1 ? "candle" : "candles";
  return `${date}: ${day.observed} of ${day.expected} ${candles}${missing.join("")}`;
}

/** How much of the day is missing, from 0, nothing, to 4, all. @param {Record<string, any> | undefined} day */
export function depthOf(day) {
  return day?.expected ? Math.ceil((4 * (day.expected - day.observed)) / day.expected) : 0;
}

/** @param {number} year */
export function monthsOf(year) {
  return Array.from({ length: 12 }, (_, month) => {
    const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    const name = `${year}-${two(month + 1)}`;
    return { name, days: Array.from({ length }, (_, day) => `${name}-${two(day + 1)}`) };
  });
}

/** @param {string} date */
export function dayAfter(date) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}
