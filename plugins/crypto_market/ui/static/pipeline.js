// @ts-check
// The pipeline page: of all DAGs, or with ?dag_id= of one, as on the page of a DAG.

import { choices } from "./controls.js";
import { byId, element, fill } from "./dom.js";
import { freshness } from "./pipeline-freshness.js";
import { latencyPanel } from "./pipeline-latency.js";
import { dags, written } from "./pipeline-runs.js";
import { banner, show } from "./trust.js";

const AGAIN_MILLISECONDS = 60_000;
const dagId = choices({ dag_id: "" }).get("dag_id");
const latency = latencyPanel(byId("latency"));

if (dagId) {
  byId("title").textContent = `Pipeline: ${dagId}`;
  fill(byId("scope"), element("a", { href: "pipeline" }, "all DAGs"));
}
byId("latency-panel").hidden = Boolean(dagId) && dagId !== "price_forecast";
byId("freshness-panel").classList.toggle("wide", byId("latency-panel").hidden);

function draw() {
  void show(byId("freshness"), async () => {
    try {
      banner(byId("trust"), await freshness(byId("freshness"), dagId));
    } catch (error) {
      fill(byId("trust")).className = ""; // what was said before does not hold any more
      throw error;
    }
  });
  if (!byId("latency-panel").hidden) void show(byId("latency"), () => latency.refresh());
  void show(byId("dags"), () => dags(byId("dags"), dagId));
  void show(byId("written"), () => written(byId("written"), dagId));
}

draw();
setInterval(() => {
  if (!document.hidden) draw();
}, AGAIN_MILLISECONDS);
