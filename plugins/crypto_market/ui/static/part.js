// @ts-check
// One part of a page: asked for on its own, so that it can fail or abstain without the others. Exports:
//   part(place, question, draw): asks, says in a line where the answer abstains, and puts there what draw makes of
//     it; a newer question to the same place ends the older one. Resolves when it is done, whichever way.
//   untold(strip): empties the strip of trust: a verdict does not outlive its answer.

import { askAll } from "./api.js";
import { element, fill } from "./dom.js";
import { banner, show, verdict } from "./trust.js";

/** @typedef {{path: string, params?: Record<string, any>, pages?: number, strip?: HTMLElement}} Question */

/** @type {WeakMap<HTMLElement, AbortController>} */
const running = new WeakMap();

/**
 * @param {HTMLElement} place @param {Question} question `pages`: how many pages of rows at most (1); `strip`:
 *   where the answer's trust is told in full, in the place of the line
 * @param {(answer: import("./api.js").Envelope) => (Node | string | null)[]} draw
 */
export function part(place, { path, params = {}, pages = 1, strip }, draw) {
  running.get(place)?.abort();
  const stop = new AbortController();
  running.set(place, stop);
  return show(place, async () => {
    const answer = await askAll(path, params, { signal: stop.signal, pages }).catch((error) => {
      if (strip && !stop.signal.aborted) untold(strip);
      throw error;
    });
    const line = element("div");
    if (strip) banner(strip, answer);
    else verdict(line, answer);
    const more = answer.next && `More than these ${answer.data.length} rows match; choose less to see the rest.`;
    fill(place, line, ...draw(answer), more ? element("p", { class: "note" }, more) : null);
  });
}

/** @param {HTMLElement} strip */
export function untold(strip) {
  strip.className = "";
  fill(strip);
}
