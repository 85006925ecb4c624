// @ts-check
// Small pictures drawn as SVG. Exports: svg(name, attributes, ...children); dot(shape, x, y, title): "disc" or
// "diamond", so that kinds can be told apart without colour; track(from, to): a scale of 720 wide, its names left of
// LEFT; square(x, y): a frame of shares with its diagonal.

const NAMESPACE = "http://www.w3.org/2000/svg";
export const LEFT = 270;
const RIGHT = 700;
const SIDE = 250;

/** @param {string} name @param {Record<string, string | number>} attributes @param {...(Node | string)} children */
export function svg(name, attributes, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** @param {string} shape @param {number} x @param {number} y @param {Node} title */
export function dot(shape, x, y, title) {
  if (shape === "disc") return svg("circle", { class: "dot disc", cx: x, cy: y, r: 5 }, title);
  const d = `M${x} ${y - 6.5}L${x + 6.5} ${y}L${x} ${y + 6.5}L${x - 6.5} ${y}Z`;
  return svg("path", { class: "dot diamond", d }, title);
}

/** @param {number} from @param {number} to */
export function track(from, to) {
  return (/** @type {number} */ value) => LEFT + ((value - from) / (to - from)) * (RIGHT - LEFT);
}

/** @param {string} across @param {string} upward */
export function square(across, upward) {
  const at = (/** @type {number} */ share) => share * SIDE;
  const ticks = [0, 0.5, 1].flatMap((share) => [
    svg("text", { x: at(share), y: SIDE + 16, "text-anchor": "middle" }, `${100 * share} %`),
    svg("text", { x: -6, y: at(1 - share) + 4, "text-anchor": "end" }, `${100 * share} %`),
  ]);
  const frame = [
    svg("rect", { class: "track", x: 0, y: 0, width: SIDE, height: SIDE, fill: "none" }),
    svg("line", { class: "promise", x1: 0, y1: SIDE, x2: SIDE, y2: 0, "stroke-dasharray": "5 4" }),
    svg("text", { x: SIDE / 2, y: SIDE + 36, "text-anchor": "middle" }, across),
    svg("text", { x: 10, y: 18 }, `↑ ${upward}`),
    ...ticks,
  ];
  return { frame, at };
}
