// @ts-check
// Decisions who serves, and trainings. Exports: promotionsTable(rows) of /promotions, modelsTable(rows) of /models.

import { element } from "./dom.js";
import { age, NOTHING, signed } from "./format.js";
import { probability, seriesName, shareWords, targetWords } from "./forecasts-words.js";
import { table } from "./table.js";

const DECISIONS = /** @type {Record<string, string>} */ ({
  promoted: "✓ promoted",
  kept: "= champion kept",
  retired: "✕ retired, the baseline serves",
  naive: "= the baseline serves",
  rolled_back: "↺ rolled back",
});
/** @param {any} _ @param {any} row */
const series = (_, row) => (row.horizon ? seriesName(row) : row.registered_model);
/** @param {number | null} share */
const skill = (share) => signed(share === null ? null : 100 * share);

/** @param {any[]} rows */
export function promotionsTable(rows) {
  return table(
    rows,
    [
      { key: "decided_at", label: "Decided", kind: "time" },
      { key: "symbol", label: "Series", format: series },
      { key: "target", label: "Of", format: targetWords },
      { key: "decision", label: "Decision", format: decision },
      { key: "recipe", label: "Model", format: (recipe) => recipe ?? NOTHING },
      { key: "baseline", label: "Best baseline", format: (name) => name?.replaceAll("_", " ") ?? NOTHING },
      { key: "skill", label: "Skill", kind: "number", format: skill },
      { key: "p_value_over_baseline", label: "p", kind: "number", format: probability },
      { key: "tries", label: "Tries", kind: "number" },
      { key: "p_value_adjusted", label: "p for all tries", kind: "number", format: probability },
      { key: "p_value_over_champion", label: "p over champion", kind: "number", format: probability },
      { key: "test_rows", label: "Tested on", kind: "number" },
      { key: "folds", label: "Folds", kind: "number" },
      { key: "champion_after", label: "Serves since", format: (version) => version ?? "baseline" },
      { key: "reason", label: "Reason", kind: "words" },
    ],
    { caption: "Decisions with their statistics, newest first", empty: "No model has been judged yet." },
  );
}

/** @param {string} word @param {any} row */
function decision(word, row) {
  const by = row.decided_by ? ` by ${row.decided_by}` : "";
  return element("span", { class: "decision" }, `${DECISIONS[word] ?? word}${by}`);
}

/** @param {any[]} rows */
export function modelsTable(rows) {
  return table(
    rows,
    [
      { key: "symbol", label: "Series", format: series, value: seriesName },
      { key: "target", label: "Of", format: targetWords },
      { key: "recipe", label: "Model", format: (recipe, row) => `${recipe}, version ${row.model_version}` },
      { key: "is_serving", label: "Serves", format: serves },
      { key: "trained_at", label: "Trained", kind: "time" },
      { key: "age_seconds", label: "Age", kind: "number", format: ageOf },
      { key: "training_rows", label: "Rows", kind: "number" },
      { key: "skill", label: "Skill", kind: "number", format: skill },
      { key: "p_value_adjusted", label: "p for all tries", kind: "number", format: probability },
      { key: "interval_coverage", label: "80 % held", kind: "number", format: (share) => shareWords(share) },
      { key: "interval_coverage_95", label: "95 % held", kind: "number", format: (share) => shareWords(share) },
      { key: "mlflow_run_id", label: "MLflow run", format: (run) => element("code", {}, run.slice(0, 12)) },
    ],
    { caption: "The newest and the serving trainings, judged on folds they had not seen", empty: "No model was trained yet." },
  );
}

/** @param {boolean} itself @param {any} row */
function serves(itself, { serving_version }) {
  if (itself) return "✓ serves";
  return serving_version ? `no, version ${serving_version} does` : "no, the baseline does";
}

/** @param {number} seconds @param {any} row */
function ageOf(seconds, { deadline_seconds, is_overdue }) {
  const within = `${age(seconds)} of ${age(deadline_seconds)}`;
  return is_overdue ? element("span", { class: "mark bad" }, `✕ ${within}`) : within;
}
