// @ts-check
// Runs: Airflow's own account of its DAGs, asked with the rights of whoever looks, and what our tasks wrote.
// Exports: dags(element, dagId), written(element, dagId); dagId "" for all.

import { ask, askAirflow } from "./api.js";
import { element, fill } from "./dom.js";
import { duration, moment } from "./format.js";
import { state } from "./pipeline-freshness.js";
import { table } from "./table.js";
import { verdict } from "./trust.js";

const STATES = /** @type {Record<string, [string, string]>} */ ({
  success: ["good", "✓ success"],
  failed: ["bad", "✕ failed"],
  running: ["warn", "▶ running"],
  queued: ["warn", "… queued"],
});

/** @param {HTMLElement} parent @param {string} dagId */
export async function dags(parent, dagId) {
  const newest = { order_by: "-start_date", limit: 100 };
  const one = dagId && `dags/${encodeURIComponent(dagId)}`;
  const [known, runs] = await Promise.all([
    one ? askAirflow(one).then((dag) => ({ dags: [dag] })) : askAirflow("dags", { limit: 100 }),
    askAirflow(`${one || "dags/~"}/dagRuns`, newest),
  ]);
  /** @type {Map<string, any>} */
  const last = new Map();
  for (const run of runs.dag_runs) if (!last.has(run.dag_id)) last.set(run.dag_id, run);
  // The newest runs of all may leave out a DAG that runs once a day.
  const silent = known.dags.filter((/** @type {any} */ dag) => !last.has(dag.dag_id));
  const found = await Promise.all(silent.map((/** @type {any} */ dag) =>
    askAirflow(`dags/${encodeURIComponent(dag.dag_id)}/dagRuns`, { ...newest, limit: 1 })));
  for (const each of found) for (const run of each.dag_runs) last.set(run.dag_id, run);
  const rows = known.dags.map((/** @type {any} */ dag) => rowOf(dag, last.get(dag.dag_id)));
  const note = "Times are Airflow's, by this computer's clock; a replayed world has a clock of its own.";
  fill(parent, overview(rows), dagId ? history(runs.dag_runs) : null, element("p", { class: "note" }, note));
}

/** @param {any} dag @param {any} run */
function rowOf(dag, run) {
  return {
    dag_id: dag.dag_id, is_paused: dag.is_paused, schedule: dag.timetable_summary ?? dag.timetable_description,
    has_import_errors: dag.has_import_errors, state: run?.state, run_type: run?.run_type, start_date: run?.start_date,
    duration: run?.duration, next: dag.is_paused ? null : dag.next_dagrun_run_after,
  };
}

/** @param {any[]} rows */
function overview(rows) {
  const columns = [
    { key: "dag_id", label: "DAG" },
    { key: "is_paused", label: "On", format: (/** @type {any} */ paused, /** @type {any} */ row) =>
      row.has_import_errors ? state("bad", "✕ import error") : paused ? state("warn", "‖ paused") : "on" },
    { key: "schedule", label: "Schedule" },
    { key: "state", label: "Last run", format: stateOf },
    { key: "run_type", label: "Kind" },
    { key: "start_date", label: "Started", kind: "time" },
    { key: "duration", label: "Took", kind: "number", format: duration },
    { key: "next", label: "Next run", kind: "time" },
  ];
  return table(rows, columns, { caption: "DAGs by name", sort: "dag_id", empty: "Airflow shows you no DAG." });
}

/** @param {any[]} runs */
function history(runs) {
  const columns = [
    { key: "dag_run_id", label: "Run" },
    { key: "state", label: "State", format: stateOf },
    { key: "start_date", label: "Started", kind: "time" },
    { key: "duration", label: "Took", kind: "number", format: duration },
    { key: "data_interval_start", label: "Interval from", kind: "time" },
    { key: "data_interval_end", label: "to", kind: "time" },
  ];
  return table(runs.slice(0, 25), columns, { caption: "Its newest runs", empty: "It has not run yet." });
}

/** @param {any} value */
function stateOf(value) {
  if (!value) return state("", "– never ran");
  const [kind, text] = STATES[value] ?? ["", value];
  return state(kind, text);
}

/** @param {HTMLElement} parent @param {string} dagId */
export async function written(parent, dagId) {
  const answer = await ask("pipeline/runs", { dag_id: dagId, limit: 60 });
  const count = (/** @type {string} */ key, /** @type {string} */ label) => ({ key, label, kind: "number" });
  const columns = [
    { key: "finished_at", label: "Finished", kind: "time", format: (/** @type {any} */ at) => moment(at) },
    { key: "dag_id", label: "DAG" },
    { key: "task_id", label: "Task" },
    { key: "work_seconds", label: "Worked", kind: "number", format: duration },
    { key: "wait_seconds", label: "of it waiting", kind: "number", format: duration,
      hint: "for a source's request budget" },
    count("rows_new", "New"),
    count("rows_changed", "Changed"),
    count("rows_unchanged", "Unchanged"),
    count("rows_rejected", "Rejected"),
  ];
  const line = element("div");
  verdict(line, answer);
  const caption = `The newest ${answer.data.length}${answer.next ? ", there are more" : ""}`;
  fill(parent, line, table(answer.data, columns, { caption, sort: "-finished_at", empty: "No task has written yet." }));
}
