// @ts-check
// How sealed forecasts have done against each baseline. Exports: scoreboardTable(rows) of /scoreboard.

import { signed } from "./format.js";
import { svg } from "./forecasts-svg.js";
import {
  intervalWords, judgement, kindName, modelWords, NO_OUTCOME, shareWords, skillWords,
} from "./forecasts-words.js";
import { table } from "./table.js";

const WIDE = 120;
const HIGH = 16;

/** @param {any[]} rows */
export function scoreboardTable(rows) {
  const sizes = rows.flatMap((row) => [row.skill, row.skill_lower, row.skill_upper].map(Math.abs));
  const furthest = Math.max(0.001, ...sizes);
  return table(
    rows,
    [
      { key: "symbol", label: "Series", kind: "series", format: (_, row) => kindName(row), value: kindName },
      { key: "model", label: "Forecast", kind: "series", format: (model, row) => modelWords(model, row.model_version) },
      { key: "baseline", label: "Baseline", kind: "series", format: (name) => name.replaceAll("_", " ") },
      { key: "skill", label: "Skill", kind: "number", format: (share) => signed(share === null ? null : 100 * share) },
      { key: "skill_lower", label: "95 % confidence", kind: "number", format: (_, row) => confidence(row) },
      { key: "skill_upper", label: "Picture", sortable: false, format: (_, row) => picture(row, furthest) },
      { key: "loss", label: "Judgement", kind: "series", sortable: false, format: (_, row) => judgement(row) },
      { key: "forecasts", label: "Outcomes", kind: "number" },
      { key: "days", label: "Days", kind: "number", hint: "With such outcomes; the confidence rests on them" },
      { key: "direction_accuracy", label: "Direction", hint: "Share of forecasts whose direction was right",
        kind: "number", format: (share) => shareWords(share) },
    ],
    { caption: "Each forecast against each baseline", empty: NO_OUTCOME },
  );
}

/** @param {any} row */
function confidence({ skill_lower, skill_upper }) {
  return skill_lower === null ? "below 30 days" : intervalWords(skill_lower, skill_upper, skillWords);
}

/** The interval beside zero, the baseline; all rows on one scale. @param {any} row @param {number} furthest */
function picture({ skill, skill_lower, skill_upper }, furthest) {
  const at = (/** @type {number} */ share) => WIDE / 2 + (share / furthest) * (WIDE / 2 - 6);
  const zero = svg("line", { class: "promise", x1: at(0), x2: at(0), y1: 0, y2: HIGH });
  const middle = HIGH / 2;
  const drawn = skill === null ? [] : [svg("circle", { class: "dot disc", cx: at(skill), cy: middle, r: 3.5 })];
  if (skill_lower !== null) {
    drawn.unshift(
      svg("line", { class: "whisker disc", x1: at(skill_lower), x2: at(skill_upper), y1: middle, y2: middle }));
  }
  const size = { width: WIDE, height: HIGH, viewBox: `0 0 ${WIDE} ${HIGH}` };
  return svg("svg", { class: "interval", "aria-hidden": "true", ...size }, zero, ...drawn);
}
