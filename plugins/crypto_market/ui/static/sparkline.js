// @ts-check
// A small line without axes, its facts in words. Exports: sparkline(values, text, {lowest, highest, levels}) -> <svg>.

const SVG = "http://www.w3.org/2000/svg";

/** @param {number[]} values @param {string} text @param {{lowest: number, highest: number, levels?: number[]}} scale */
export function sparkline(values, text, { lowest, highest, levels = [] }) {
  const height = (/** @type {number} */ value) => 100 - (100 * (value - lowest)) / (highest - lowest);
  const across = (/** @type {number} */ place) => (100 * place) / Math.max(1, values.length - 1);
  const stretched = { viewBox: "0 0 100 100", preserveAspectRatio: "none" };
  const svg = made("svg", { class: "spark", role: "img", "aria-label": text, ...stretched });
  for (const level of levels) {
    svg.append(made("line", { class: "level", x1: 0, x2: 100, y1: height(level), y2: height(level) }));
  }
  const points = values.map((value, place) => `${across(place).toFixed(2)},${height(value).toFixed(2)}`).join(" ");
  svg.append(made("polyline", { class: "line", points }));
  return svg;
}

/** @param {string} tag @param {Record<string, any>} attributes */
function made(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}
