// @ts-check
// One part of a page: asked for on its own, so that it can fail, abstain or be forbidden without the others. Exports:
//   part(place, question, draw): asks, says in one line where the answer abstains, and puts there what draw makes of
//     it; a newer question to the same place ends the older one. Resolves when it is done, whichever way.

import { askAll, Problem } from "./api.js";
import { element, fill } from "./dom.js";
import { show, verdict } from "./trust.js";

/** @typedef {{path: string, params?: Record<string, any>, pages?: number, forbidden?: string}} Question */

/** @type {WeakMap<HTMLElement, AbortController>} */
const running = new WeakMap();

/**
 * @param {HTMLElement} place @param {Question} question `pages`: how many pages of rows at most (1); `forbidden`: said
 *   kindly where this user may not see it
 * @param {(answer: import("./api.js").Envelope) => (Node | string | null)[]} draw
 */
export function part(place, { path, params = {}, pages = 1, forbidden }, draw) {
  running.get(place)?.abort();
  const stop = new AbortController();
  running.set(place, stop);
  return show(place, async () => {
    try {
      const answer = await askAll(path, params, { signal: stop.signal, pages });
      const line = element("div");
      verdict(line, answer);
      const more = answer.next ? `More than these ${answer.data.length} rows match; choose less to see the rest.` : null;
      fill(place, line, ...draw(answer), more && element("p", { class: "note" }, more));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 403 || !forbidden) throw error;
      fill(place, element("p", { class: "forbidden" }, `Not shown with your Airflow role. ${forbidden}`));
    }
  });
}
