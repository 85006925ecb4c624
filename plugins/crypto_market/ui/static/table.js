// @ts-check
// Rows as an accessible table that sorts by a click on (or Enter in) its headings. Exports:
//   table(rows, columns, {caption, empty, sort, hideCaption}) -> an element to put into the page; each cell carries its
//     data-key and, as data-value, what the API said.
// A column: {key, label, format(value, row) -> text or Node, kind: "number" | "text" | "time", hint, value(row) (what
// it sorts by), sortable: false}; kind "number" aligns right. sort: a key, "-key" for descending.

import { element, fill } from "./dom.js";
import { moment, number, NOTHING } from "./format.js";

/** @typedef {{key: string, label: string, kind?: string, hint?: string, sortable?: boolean,
 *   format?: (value: any, row: any) => string | Node, value?: (row: any) => any}} Column */

/** @param {Record<string, any>[]} rows @param {Column[]} columns
 * @param {{caption: string, empty?: string, sort?: string, hideCaption?: boolean}} options */
export function table(rows, columns, options) {
  if (!rows.length) return element("p", { class: "empty" }, options.empty ?? `${options.caption}: none yet.`);
  const body = element("tbody");
  const head = element("tr");
  let sorted = options.sort ?? "";
  const draw = () => {
    const key = sorted.replace(/^-/, "");
    const column = columns.find((each) => each.key === key);
    fill(body, ...(column ? inOrder(rows, column, sorted.startsWith("-")) : rows).map((row) => line(row, columns)));
    fill(head, ...columns.map((each) => heading(each, sorted, turn)));
  };
  /** @param {string} key */
  const turn = (key) => {
    sorted = sorted === key ? `-${key}` : key;
    draw();
    /** @type {HTMLElement | null} */ (head.querySelector(`[data-key="${key}"]`))?.focus();
  };
  draw();
  const caption = element("caption", { class: options.hideCaption ? "unseen" : null }, options.caption);
  const whole = element("table", {}, caption, element("thead", {}, head), body);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": options.caption }, whole);
}

/** @param {Column} column @param {string} sorted @param {(key: string) => void} turn */
function heading(column, sorted, turn) {
  const mine = sorted.replace(/^-/, "") === column.key;
  const direction = mine ? (sorted.startsWith("-") ? "descending" : "ascending") : null;
  const sign = mine ? (sorted.startsWith("-") ? " ▾" : " ▴") : "";
  const label =
    column.sortable === false
      ? column.label
      : element("button", { type: "button", class: "sort", "data-key": column.key, onclick: () => turn(column.key) },
          column.label, element("span", { "aria-hidden": "true" }, sign));
  return element("th", { scope: "col", class: kindOf(column), title: column.hint, "aria-sort": direction }, label);
}

/** @param {any} row @param {Column[]} columns */
function line(row, columns) {
  const cells = columns.map((column) => {
    const value = row[column.key];
    const raw = { "data-key": column.key, "data-value": value === null || value === undefined ? null : String(value) };
    return element("td", { class: kindOf(column), ...raw }, text(row, column));
  });
  return element("tr", {}, ...cells);
}

/** @param {any} row @param {Column} column */
function text(row, column) {
  const value = row[column.key];
  if (column.format) return column.format(value, row);
  if (value === null || value === undefined || value === "") return NOTHING;
  if (column.kind === "number") return number(value);
  return column.kind === "time" ? moment(value) : String(value);
}

/** @param {Column} column */
function kindOf(column) {
  return column.kind ?? "text";
}

/** What is not known comes last either way. @param {any[]} rows @param {Column} column @param {boolean} down */
function inOrder(rows, column, down) {
  const value = column.value ?? ((/** @type {any} */ row) => row[column.key]);
  const unknown = (/** @type {any} */ each) => each === null || each === undefined;
  return [...rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (unknown(a) || unknown(b)) return Number(unknown(a)) - Number(unknown(b));
    const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
    return down ? -order : order;
  });
}
