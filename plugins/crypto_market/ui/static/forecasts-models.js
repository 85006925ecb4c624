// @ts-check
// Decisions who serves, and trainings. Exports: promotionsTable(rows) of /promotions, modelsTable(rows) of /models.

import { element } from "./dom.js";
import { age, NOTHING, number, signed } from "./format.js";
import { kindName, probability, shareWords } from "./forecasts-words.js";
import { table } from "./table.js";

const MARKS = /** @type {Record<string, string>} */ ({ promoted: "✓ ", retired: "✕ ", rolled_back: "↺ " });
/** @param {any} _ @param {any} row */
const series = (_, row) => (row.horizon ? kindName(row) : row.registered_model);
/** @param {number | null} share */
const skill = (share) => signed(share === null ? null : 100 * share);

/** @param {any[]} rows */
export function promotionsTable(rows) {
  return table(
    rows,
    [
      { key: "decided_at", label: "Decided", kind: "time" },
      { key: "symbol", label: "Series", kind: "series", format: series },
      { key: "decision", label: "Decision", kind: "series", format: decision },
      { key: "reason", label: "Reason", sortable: false, format: reason },
      { key: "recipe", label: "Model / best baseline", kind: "series", format: judged },
      { key: "skill", label: "Skill", kind: "number", format: skill },
      { key: "p_value_over_baseline", label: "p", kind: "number", format: probability },
      { key: "p_value_adjusted", label: "p, all tries", kind: "number", format: ofTries },
      { key: "p_value_over_champion", label: "p, champion", kind: "number", format: probability },
      { key: "test_rows", label: "Tested", hint: "Rows, in folds", kind: "number", format: tested },
    ],
    { caption: "Decisions with their statistics, newest first", empty: "No model has been judged yet." },
  );
}

/** @param {string} word @param {any} row */
function decision(word, { champion_after, decided_by }) {
  const by = decided_by ? ` by ${decided_by}` : "";
  const serves = champion_after ? `version ${champion_after}` : "the baseline";
  if (word === "naive") return `${serves} serves`;
  return `${MARKS[word] ?? ""}${word.replaceAll("_", " ")}${by}: ${serves}`;
}

/** @param {string | null} recipe @param {any} row */
function judged(recipe, { baseline }) {
  return recipe ? `${recipe} / ${baseline.replaceAll("_", " ")}` : NOTHING;
}

/** @param {number | null} rows @param {any} row */
function tested(rows, { folds }) {
  return rows === null ? NOTHING : `${number(rows)} in ${folds}`;
}

/** @param {number | null} p @param {any} row */
function ofTries(p, { tries }) {
  return p === null ? NOTHING : `${probability(p)} of ${tries}`;
}

/** @param {string} text */
function reason(text) {
  return element("details", {}, element("summary", {}, "Why"), element("p", { class: "reason" }, text));
}

/** @param {any[]} rows */
export function modelsTable(rows) {
  return table(
    rows,
    [
      { key: "symbol", label: "Series", kind: "series", format: series, value: kindName },
      { key: "recipe", label: "Model", kind: "series",
        format: (recipe, row) => `${recipe}, version ${row.model_version}` },
      { key: "is_serving", label: "Serves", kind: "series", format: serves },
      { key: "trained_at", label: "Trained", kind: "time" },
      { key: "age_seconds", label: "Age", kind: "number", format: ageOf },
      { key: "training_rows", label: "Rows", kind: "number" },
      { key: "skill", label: "Skill", kind: "number", format: skill },
      { key: "p_value_adjusted", label: "p, all tries", kind: "number", format: probability },
      { key: "interval_coverage", label: "80 %", hint: "Held by the 80 % interval", kind: "number",
        format: (share) => shareWords(share) },
      { key: "interval_coverage_95", label: "95 %", hint: "Held by the 95 % interval", kind: "number",
        format: (share) => shareWords(share) },
      { key: "mlflow_run_id", label: "MLflow run", format: (run) => element("code", {}, run.slice(0, 8)) },
    ],
    { caption: "The newest and the serving trainings, judged on folds they had not seen", empty: "None yet." },
  );
}

/** @param {boolean} itself @param {any} row */
function serves(itself, { serving_version }) {
  if (itself) return "✓ serves";
  return serving_version ? `no, version ${serving_version}` : "no, the baseline";
}

/** @param {number} seconds @param {any} row */
function ageOf(seconds, { deadline_seconds, is_overdue }) {
  const within = `${age(seconds)} of ${age(deadline_seconds)}`;
  return is_overdue ? element("span", { class: "mark bad" }, `✕ ${within}`) : within;
}
