// @ts-check
// A chart over years that holds only what is seen and a width to either side; the server thins out. Exports:
//   timeWindow(chart, box, load, hooks) -> {show(view, bounds), reload(), view()}
// load({from, to, points}, signal) -> {start, step, count, draw()}: a grid of `count` bars of `step` seconds from
// `start`; draw() hands it to the series. The grid has a bar for every step (whitespace where there is no value): a
// bar's place is its time, holes stay visible, and what is seen stays where it is while finer or coarser bars come.
// A view is {from, to} in seconds since the epoch. onView(view) is called when it has come to rest.

import { readable } from "./timeframes.js";

/** @typedef {{from: number, to: number}} View */
/** @typedef {{start: number, step: number, count: number, draw: () => void}} Frame */

const REST_MILLISECONDS = 120;
const PIXELS_A_BAR = 3;
const TOO_COARSE = 0.4; // of the bars wanted: finer ones are asked for
const TOO_FINE = 2.5;
const MARGIN = 0.3; // of the width: nearer to the end of what is held, more is asked for

/** @param {any} chart of themedChart @param {HTMLElement} box
 * @param {(asked: {from: number, to: number, points: number}, signal: AbortSignal) => Promise<Frame>} load
 * @param {{onView: (view: View) => void, onError: (error: unknown) => void, finest: () => number}} hooks
 *   finest: seconds of the shortest bar there is */
export function timeWindow(chart, box, load, hooks) {
  const scale = chart.api.timeScale();
  let bounds = { from: 0, to: 0 };
  /** @type {Frame | null} */
  let frame = null;
  /** @type {View} */
  let held = { from: 0, to: 0 };
  /** @type {View} */
  let view = { from: 0, to: 0 };
  let asking = new AbortController();
  let timer = 0;
  let pressed = false;
  let drawing = false;
  /** @type {View | null} what we have set: not a move of the user's */
  let placed = null;

  const wanted = () => Math.min(500, Math.max(120, Math.round(box.clientWidth / PIXELS_A_BAR)));

  function suffices() {
    if (!frame) return false;
    const width = view.to - view.from;
    const bars = width / frame.step / wanted();
    const short = (bounds.from < held.from && view.from - held.from < MARGIN * width)
      || (held.to < bounds.to && held.to - view.to < MARGIN * width);
    return !short && bars < TOO_FINE && (bars > TOO_COARSE || frame.step <= hooks.finest());
  }

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const width = Math.max(view.to - view.from, hooks.finest());
    const from = Math.max(bounds.from, Math.min(view.from - width, bounds.to - width));
    const to = Math.max(from + hooks.finest(), Math.min(bounds.to, view.to + width));
    const bar = readable(width / wanted(), hooks.finest());
    const points = Math.ceil((to - from) / bar) + 1; // in so many, that bar is the shortest that fits
    try {
      const got = await load({ from, to, points }, signal);
      await released();
      if (signal.aborted) return;
      [frame, held] = [got, { from, to }];
      drawing = true;
      got.draw();
      place();
      drawing = false;
      hooks.onView(view);
    } catch (error) {
      if (!signal.aborted) hooks.onError(error);
    }
  }

  // Bars that change under a dragging hand would jump.
  async function released() {
    while (pressed) await new Promise((resolve) => addEventListener("pointerup", resolve, { once: true }));
  }

  function place() {
    if (!frame) return;
    const { start, step } = frame;
    placed = { from: (view.from - start) / step, to: (view.to - start) / step };
    scale.setVisibleLogicalRange(placed);
  }

  scale.subscribeVisibleLogicalRangeChange((/** @type {View | null} */ range) => {
    if (!range || !frame || drawing || (placed && near(range.from, placed.from) && near(range.to, placed.to))) return;
    placed = null;
    view = { from: frame.start + range.from * frame.step, to: frame.start + range.to * frame.step };
    clearTimeout(timer);
    timer = setTimeout(() => (suffices() ? hooks.onView(view) : void ask()), REST_MILLISECONDS);
  });
  box.addEventListener("pointerdown", () => (pressed = true));
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => (pressed = false));

  /** @param {View} next */
  function go(next) {
    view = next;
    if (suffices()) {
      place();
      hooks.onView(view);
    } else void ask();
  }
  chart.toStart = () => go({ from: bounds.from, to: bounds.from + (view.to - view.from) });
  chart.toEnd = () => go({ from: bounds.to - (view.to - view.from), to: bounds.to });
  return {
    /** @param {View} next @param {View} limits what there is at all */
    show(next, limits) {
      [view, bounds, frame] = [next, limits, null];
      return ask();
    },
    /** Ask again for what is seen; with later limits, a view at the end goes along. @param {View} [limits] */
    reload(limits = bounds) {
      const late = limits.to - bounds.to;
      if (late && view.to >= bounds.to) view = { from: view.from + late, to: view.to + late };
      bounds = limits;
      return ask();
    },
    view: () => view,
  };
}

/** @param {number} one @param {number} other in bars */
function near(one, other) {
  return Math.abs(one - other) < 0.01;
}
