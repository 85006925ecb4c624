// @ts-check
// Whether intervals and probabilities hold what they promise. Exports: calibrationPlot(rows), calibrationTable(rows) of
// /calibration; directionPlot(rows, name), directionTable(rows, name) of /calibration/direction.

import { dot, LEFT, svg, square, track } from "./forecasts-svg.js";
import { kindName, NO_OUTCOME, shareWords } from "./forecasts-words.js";
import { table } from "./table.js";

const PROMISES = [
  { nominal: 0.8, shape: "disc", dashes: "none" },
  { nominal: 0.95, shape: "diamond", dashes: "5 4" },
];
const ROW = 26;
const TOP = 26;

/** @param {any} row */
const inWords = ({ inside, forecasts, nominal }) =>
  `${shareWords(inside)} of ${forecasts} within the ${shareWords(nominal, 0)} interval`;

/** A line per series: a mark for each interval, with its 95 % confidence, against the promise. @param {any[]} rows */
export function calibrationPlot(rows) {
  const names = [...new Set(rows.map(kindName))];
  const from = Math.max(0, Math.floor(10 * Math.min(0.6, ...rows.map((row) => row.inside_lower))) / 10);
  const at = track(from, 1);
  const bottom = TOP + names.length * ROW;
  const promises = PROMISES.flatMap(({ nominal, dashes }) => [
    upright(at(nominal), TOP, bottom, dashes),
    svg("text", { x: at(nominal), y: TOP - 8, "text-anchor": "middle" }, shareWords(nominal, 0)),
  ]);
  const ends = [from, 1].map((share) =>
    svg("text", { x: at(share), y: bottom + 16, "text-anchor": "middle" }, shareWords(share, 0)));
  const lines = names.flatMap((name, place) => {
    const y = TOP + (place + 0.5) * ROW;
    const marks = rows.filter((row) => kindName(row) === name).flatMap((row) => marksOf(row, at, y));
    return [
      svg("line", { class: "track", x1: at(from), x2: at(1), y1: y, y2: y }),
      svg("text", { class: "name", x: LEFT - 12, y: y + 4, "text-anchor": "end" }, name),
      ...marks,
    ];
  });
  const said = rows.map((row) => `${kindName(row)}: ${inWords(row)}`).join("; ");
  const label = { role: "img", "aria-label": `Outcomes within their intervals. ${said}.` };
  return svg("svg", { class: "plot", viewBox: `0 0 720 ${bottom + 24}`, ...label }, ...promises, ...ends, ...lines);
}

/** @param {number} x @param {number} top @param {number} bottom @param {string} dashes */
function upright(x, top, bottom, dashes) {
  return svg("line", { class: "promise", x1: x, x2: x, y1: top, y2: bottom, "stroke-dasharray": dashes });
}

/** @param {any} row @param {(share: number) => number} at @param {number} y */
function marksOf(row, at, y) {
  const { shape } = PROMISES.find(({ nominal }) => nominal === row.nominal) ?? PROMISES[0];
  const title = svg("title", {}, `${kindName(row)}: ${inWords(row)}`);
  return [
    svg("line", { class: `whisker ${shape}`, x1: at(row.inside_lower), x2: at(row.inside_upper), y1: y, y2: y }),
    dot(shape, at(row.inside), y, title),
  ];
}

/** @param {any[]} rows */
export function calibrationTable(rows) {
  return table(
    rows,
    [
      { key: "symbol", label: "Series", kind: "series", format: (_, row) => kindName(row), value: kindName },
      { key: "nominal", label: "Promised", kind: "number", format: (share) => shareWords(share, 0) },
      { key: "inside", label: "Within", kind: "number", format: (share) => shareWords(share) },
      { key: "inside_lower", label: "95 % confidence", kind: "number", format: (_, row) => confidence(row) },
      { key: "forecasts", label: "Outcomes", kind: "number" },
    ],
    { caption: "Outcomes within their intervals", empty: NO_OUTCOME },
  );
}

/** @param {any} row */
function confidence({ inside_lower, inside_upper }) {
  return `${shareWords(inside_lower)} to ${shareWords(inside_upper)}`;
}

/** How often it rose, against the probability that was given. @param {any[]} rows @param {string} name */
export function directionPlot(rows, name) {
  const { frame, at } = square("probability given to a rise", "share that rose");
  const marks = rows.map((row) =>
    dot("disc", at(row.mean_probability), at(1 - row.share_up), svg("title", {}, said(row))));
  const label = { role: "img", "aria-label": `Rises of ${name} by probability. ${rows.map(said).join("; ")}.` };
  return svg("svg", { class: "plot square", viewBox: "-46 -8 320 312", ...label }, ...frame, ...marks);
}

/** @param {any} row */
function said({ mean_probability, share_up, forecasts }) {
  return `given ${shareWords(mean_probability)}, ${shareWords(share_up)} of ${forecasts} rose`;
}

/** @param {any[]} rows @param {string} name */
export function directionTable(rows, name) {
  return table(
    rows,
    [
      { key: "lower", label: "Probability given", kind: "number",
        format: (lower, row) => `${shareWords(lower, 0)} to ${shareWords(row.upper, 0)}` },
      { key: "mean_probability", label: "Mean", kind: "number", format: (share) => shareWords(share) },
      { key: "share_up", label: "Rose", kind: "number", format: (share) => shareWords(share) },
      { key: "forecasts", label: "Outcomes", kind: "number" },
    ],
    { caption: `Rises of ${name}`, empty: `No forecast of ${name} in this window has its outcome yet.` },
  );
}
