// @ts-check
// A page that is left open keeps up. Exports:
//   keepFresh(question, told, changed) -> saw(answer): every minute in which the page can be seen it asks again, tells
//     the answer to `told`, and calls changed(answer) where its rows or reasons are other than those last seen; null
//     where the question failed, so that the page says so in its places, and once more when it is answered again.

import { ask } from "./api.js";

const AGAIN_MILLISECONDS = 60_000;

/** @typedef {import("./api.js").Envelope} Envelope */

/**
 * @param {() => {path: string, params?: Record<string, any>} | null} question null: nothing to ask yet
 * @param {(answer: Envelope) => void} told @param {(answer: Envelope | null) => void} changed
 */
export function keepFresh(question, told, changed) {
  const facts = (/** @type {Envelope} */ { data, reasons }) => JSON.stringify([data, reasons]);
  let seen = "";
  setInterval(async () => {
    const asked = question();
    if (document.hidden || !asked) return;
    try {
      const answer = await ask(asked.path, asked.params);
      if (JSON.stringify(asked) !== JSON.stringify(question())) return; // another choice has been made meanwhile
      told(answer);
      if (facts(answer) === seen) return;
      seen = facts(answer);
      changed(answer);
    } catch {
      seen = "";
      changed(null);
    }
  }, AGAIN_MILLISECONDS);
  return (/** @type {Envelope} */ answer) => void (seen = facts(answer));
}
