// @ts-check
// What forecasts are called. Exports: hoursOf(duration), horizonWords(duration), seriesName(row), targetWords(target),
// shareWords(share), intervalWords(lower, upper), probability(p), judgement(line), whoServes(row, isJudged).

import { NOTHING, percent, price } from "./format.js";

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:[\d.]+S)?)?$/;

/** An ISO 8601 duration such as `PT24H` in hours. @param {string} duration */
export function hoursOf(duration) {
  const [, days, hours, minutes] = DURATION.exec(duration) ?? [];
  return Number(days ?? 0) * 24 + Number(hours ?? 0) + Number(minutes ?? 0) / 60;
}

/** @param {string} duration */
export function horizonWords(duration) {
  const hours = hoursOf(duration);
  return hours === 1 ? "1 hour" : `${hours} hours`;
}

/** @param {Record<string, any>} row */
export function seriesName({ venue, symbol, horizon }) {
  return `${venue} ${symbol}, ${horizonWords(horizon)}`;
}

/** @param {string} target */
export function targetWords(target) {
  return target === "log_return" ? "price" : target;
}

/** @param {number | null} share 0 to 1 @param {number} [digits] */
export function shareWords(share, digits = 1) {
  return share === null || share === undefined ? NOTHING : percent(100 * share, digits);
}

/** @param {any} lower @param {any} upper @param {(value: any) => string} [words] */
export function intervalWords(lower, upper, words = price) {
  return lower === null || lower === undefined ? NOTHING : `${words(lower)} to ${words(upper)}`;
}

/** @param {number | null} p */
export function probability(p) {
  if (p === null || p === undefined) return NOTHING;
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

/** What a skill and its 95 % confidence interval say of a forecast beside a baseline. @param {Record<string, any>} line */
export function judgement({ skill, skill_lower, skill_upper, model, baseline }) {
  if (model === baseline || (model === "naive" && baseline === "random_walk")) return "is this baseline";
  if (skill === null) return "no figure";
  if (skill_lower === null) return "too few days to tell";
  if (skill_lower > 0) return "✓ better";
  return skill_upper < 0 ? "✕ worse" : "no difference shown";
}

/** Who serves and why, of a row of /forecasts/latest. @param {Record<string, any>} row @param {boolean} isJudged */
export function whoServes(row, isJudged) {
  if (row.state !== "served") return "no forecast is served now";
  if (!row.is_naive) return `${row.model} version ${row.model_version} is served, as it has beaten the naive forecast`;
  const why = isJudged ? "no model has beaten it" : "no model has been judged yet";
  return `the naive forecast is served, as ${why}`;
}
