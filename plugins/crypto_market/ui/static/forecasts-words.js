// @ts-check
// What forecasts are called. Exports: seriesName(row), kindName(row), priceWords(price), modelWords(model, version),
// shareWords(share), skillWords(share), intervalWords(lower, upper), probability(p), judgement(line),
// whoServes(row, target, isJudged), NO_OUTCOME.

import { NOTHING, percent } from "./format.js";

export const NO_OUTCOME = "No forecast of this window has its outcome yet: it comes when the time forecast has closed.";
const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:[\d.]+S)?)?$/;

/** An ISO 8601 duration such as `PT24H` in hours. @param {string} duration */
function hoursOf(duration) {
  const [, days, hours, minutes] = DURATION.exec(duration) ?? [];
  return Number(days ?? 0) * 24 + Number(hours ?? 0) + Number(minutes ?? 0) / 60;
}

/** @param {string} duration */
function horizonWords(duration) {
  return `${hoursOf(duration)} h`;
}

/** @param {Record<string, any>} row */
export function seriesName({ venue, symbol, horizon }) {
  return `${venue} ${symbol}, ${horizonWords(horizon)}`;
}

/** With what is forecast of it, where that is not the price. @param {Record<string, any>} row */
export function kindName(row) {
  return row.target === "volatility" ? `${seriesName(row)}, volatility` : seriesName(row);
}

/** A price to six figures. @param {any} value */
export function priceWords(value) {
  if (value === null || value === undefined) return NOTHING;
  return new Intl.NumberFormat("en", { maximumSignificantDigits: 6 }).format(Number(value));
}

/** @param {string} model @param {string | null} version null: a baseline, by its own name */
export function modelWords(model, version) {
  return version ? `model version ${version}` : model;
}

/** @param {number | null} share 0 to 1 @param {number} [digits] */
export function shareWords(share, digits = 1) {
  return share === null || share === undefined ? NOTHING : percent(100 * share, digits);
}

/** With its sign, and no arrow beside it: for the ends of an interval. @param {number} share */
export function skillWords(share) {
  return `${share < 0 ? "−" : "+"}${percent(Math.abs(100 * share))}`;
}

/** @param {any} lower @param {any} upper @param {(value: any) => string} [words] */
export function intervalWords(lower, upper, words = priceWords) {
  return lower === null || lower === undefined ? NOTHING : `${words(lower)} to ${words(upper)}`;
}

/** @param {number | null} p */
export function probability(p) {
  if (p === null || p === undefined) return NOTHING;
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

/** What a skill and its 95 % confidence interval say of a forecast beside a baseline.
 * @param {Record<string, any>} line */
export function judgement({ skill, skill_lower, skill_upper, model, baseline }) {
  if (model === baseline || (model === "naive" && baseline === "random_walk")) return "is this baseline";
  if (skill === null) return "no figure";
  if (skill_lower === null) return "too few days to tell";
  if (skill_lower > 0) return "✓ better";
  return skill_upper < 0 ? "✕ worse" : "no difference shown";
}

/** Who serves and why, of a row of /forecasts/latest. @param {Record<string, any>} row @param {string} target
 * @param {boolean} isJudged whether any model was ever put to the test */
export function whoServes(row, target, isJudged) {
  const [what, state, baseline, isBaseline, model, version] =
    target === "volatility"
      ? ["Volatility", row.volatility_state, "the baseline har", row.is_volatility_baseline, row.volatility_model,
          row.volatility_model_version]
      : ["Price", row.state, "the naive forecast", row.is_naive, row.model, row.model_version];
  if (state !== "served") return `${what}: nothing is served now, the table says why`;
  if (!isBaseline) return `${what}: ${modelWords(model, version)} is served, as it has beaten ${baseline}`;
  const why = isJudged ? "as no model has beaten it" : "as no model has been judged yet";
  return `${what}: ${baseline} is served, ${why}`;
}
