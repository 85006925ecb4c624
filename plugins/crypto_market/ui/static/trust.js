// @ts-check
// What an answer says of itself, and errors in the place of content. Exports:
//   banner(element, envelope): the strip at the top of a page: world, as-of, verdict, reasons; role=status.
//   verdict(element, envelope): one short line for a panel; nothing where the answer stands.
//   failed(element, error, again): an error in the place of the content, with what to do and a button to try again.
//   waiting(element): "Loading…" until the content comes; show(element, work) does all three around a promise.

import { Problem } from "./api.js";
import { element as make, fill } from "./dom.js";
import { moment, percent } from "./format.js";

const WORLDS = /** @type {Record<string, [string, string]>} */ ({
  live: ["Live", "prices of the exchanges"],
  recorded: ["Replay", "recorded prices, not market prices of today"],
  synthetic: ["Replay", "made-up prices of a random walk, not market prices"],
});
const NO_WORLD = ["Empty", "nothing has been written yet"];

/** @param {HTMLElement} element @param {import("./api.js").Envelope} envelope */
export function banner(element, envelope) {
  const [kind, text] = envelope.world ? WORLDS[envelope.world] ?? ["Replay", "not market prices"] : NO_WORLD;
  const stands = envelope.verdict === "answered";
  element.className = `trust ${stands ? "stands" : "abstains"}`;
  element.setAttribute("role", "status");
  fill(
    element,
    make("p", { class: "facts" },
      make("span", { class: `mark ${envelope.world === "live" ? "" : "replayed"}` }, kind),
      make("span", {}, text),
      make("span", { class: "as-of" }, "as of ", make("time", { datetime: envelope.as_of }, moment(envelope.as_of))),
      make("span", { class: "mark verdict" }, stands ? "✓ Answered" : "✕ Abstains"),
      make("span", {}, stands ? completeness(envelope) : "shown, but not to be relied on:"),
    ),
    stands ? null : reasons(envelope),
  );
}

/** @param {HTMLElement} element @param {import("./api.js").Envelope} envelope */
export function verdict(element, envelope) {
  element.className = "verdict-line";
  if (envelope.verdict === "answered") return void fill(element);
  fill(element, make("span", { class: "mark verdict" }, "✕ Abstains"), reasons(envelope));
}

/** @param {import("./api.js").Envelope} envelope */
function completeness(envelope) {
  const share = envelope.completeness_percent;
  const until = envelope.complete_until ? `complete until ${moment(envelope.complete_until)}` : "";
  const floored = share === null ? null : Math.floor(100 * share) / 100; // not quite all is not 100
  return [floored === null ? "" : `${percent(floored)} held`, until].filter(Boolean).join(", ");
}

/** @param {import("./api.js").Envelope} envelope */
function reasons(envelope) {
  const lines = envelope.reasons.map((each) => make("li", {}, `${each.text} `, make("code", {}, each.code)));
  return make("ul", { class: "reasons" }, ...lines);
}

/** @param {HTMLElement} element @param {any} error @param {() => void} [again] */
export function failed(element, error, again) {
  if (!(error instanceof Problem)) console.error(error);
  const [title, detail, advice] =
    error instanceof Problem
      ? [`${error.status || ""} ${error.title}`.trim(), error.detail, error.advice]
      : ["A fault of this page", String(error), "Reload the page; if it stays, report what is written here."];
  const button = again && make("button", { type: "button", onclick: again }, "Try again");
  element.removeAttribute("aria-busy");
  const said = [make("strong", {}, title), make("p", {}, detail), make("p", {}, advice), button];
  fill(element, make("div", { class: "failure", role: "alert" }, ...said));
}

/** @param {HTMLElement} element */
export function waiting(element) {
  element.setAttribute("aria-busy", "true");
  if (!element.childElementCount) fill(element, make("p", { class: "waiting" }, "Loading…"));
}

/** Run `work`, which fills the element. @param {HTMLElement} element @param {() => Promise<void>} work */
export async function show(element, work) {
  waiting(element);
  try {
    await work();
  } catch (error) {
    if (/** @type {any} */ (error)?.name !== "AbortError") failed(element, error, () => void show(element, work));
  }
  element.removeAttribute("aria-busy");
}
