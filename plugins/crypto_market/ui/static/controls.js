// @ts-check
// The page's choices, kept in its URL so that a reload, a bookmark and a link show the same. Exports:
//   choices(defaults): {get(name), set({name: value}), onChange(fn(changed names))}; values are text.
//   select(parent, choices, name, label, options [{value, label, group}]): a labelled <select>; returns it.
//   segments(parent, choices, name, label, options): the same as a row of radio buttons, for a few options.
//   markets() -> rows of /instruments with `key` ("binance:BTC/USDT") and `as_of`; marketOf(key) -> {venue, symbol};
//   marketSelect(parent, choices, rows, {name, label, none}); timeframeSelect(parent, choices, timeframes).
//     A choice that is not offered becomes the first. Made again under the same name, it takes the old one's place.

import { askAll } from "./api.js";
import { element } from "./dom.js";

/** @typedef {{value: string, label: string, group?: string}} Option */

/** @param {Record<string, string>} defaults */
export function choices(defaults) {
  const url = new URL(location.href);
  /** @type {Record<string, string>} */
  const values = { ...defaults };
  for (const name of Object.keys(defaults)) values[name] = url.searchParams.get(name) ?? defaults[name];
  /** @type {((changed: string[]) => void)[]} */
  const listeners = [];
  return {
    /** @param {string} name */
    get: (name) => values[name],
    /** @param {Record<string, string>} wanted */
    set(wanted) {
      const changed = Object.keys(wanted).filter((name) => values[name] !== wanted[name]);
      if (!changed.length) return;
      Object.assign(values, wanted);
      const here = new URL(location.href);
      for (const name of Object.keys(values)) {
        if (values[name] === defaults[name]) here.searchParams.delete(name);
        else here.searchParams.set(name, values[name]);
      }
      history.replaceState(history.state, "", here);
      listeners.forEach((listener) => listener(changed));
    },
    /** @param {(changed: string[]) => void} listener */
    onChange: (listener) => void listeners.push(listener),
  };
}

/** @param {HTMLElement} parent @param {ReturnType<typeof choices>} state @param {string} name @param {string} label
 * @param {Option[]} options */
export function select(parent, state, name, label, options) {
  const groups = new Map();
  for (const each of options) {
    const made = element("option", { value: each.value, selected: each.value === state.get(name) }, each.label);
    groups.set(each.group ?? "", [...(groups.get(each.group ?? "") ?? []), made]);
  }
  const children = [...groups].flatMap(([group, made]) =>
    group ? [element("optgroup", { label: group }, ...made)] : made);
  const box = element("select", { name, onchange: () => state.set({ [name]: box.value }) }, ...children);
  const id = `choice-${name}`;
  const old = parent.querySelector(`#${id}`);
  const field = element("label", { class: "choice", id }, element("span", {}, label), box);
  if (old) old.replaceWith(field);
  else parent.append(field);
  return box;
}

/** @param {HTMLElement} parent @param {ReturnType<typeof choices>} state @param {string} name @param {string} label
 * @param {Option[]} options */
export function segments(parent, state, name, label, options) {
  const buttons = options.map((each) =>
    element("label", {},
      element("input", { type: "radio", name, value: each.value, checked: each.value === state.get(name),
        onchange: () => state.set({ [name]: each.value }) }),
      element("span", {}, each.label)));
  const set = element("fieldset", { class: "segments" }, element("legend", {}, label), ...buttons);
  state.onChange(() => {
    for (const input of set.querySelectorAll("input")) input.checked = input.value === state.get(name);
  });
  parent.append(set);
  return set;
}

/** The markets there are. Throws Problem. */
export async function markets() {
  const answer = await askAll("instruments");
  return answer.data.map((row) => ({ ...row, key: `${row.venue}:${row.symbol}`, as_of: answer.as_of }));
}

/** @param {string} key `binance:BTC/USDT` */
export function marketOf(key) {
  const at = key.indexOf(":");
  return { venue: key.slice(0, at), symbol: key.slice(at + 1) };
}

/** @param {HTMLElement} parent @param {ReturnType<typeof choices>} state @param {any[]} rows
 * @param {{name?: string, label?: string, none?: string}} [options] none: the label of choosing none, where one may */
export function marketSelect(parent, state, rows, { name = "market", label = "Market", none } = {}) {
  const options = rows.map((row) => ({ value: row.key, label: `${row.venue} ${row.symbol}`, group: row.venue }));
  const offered = none === undefined ? options : [{ value: "", label: none }, ...options];
  const stands = offered.some((each) => each.value === state.get(name));
  if (offered.length && !stands) state.set({ [name]: offered[0].value });
  return select(parent, state, name, label, offered);
}

/** @param {HTMLElement} parent @param {ReturnType<typeof choices>} state @param {string[]} timeframes */
export function timeframeSelect(parent, state, timeframes) {
  if (timeframes.length && !timeframes.includes(state.get("timeframe"))) state.set({ timeframe: timeframes[0] });
  const options = timeframes.map((each) => ({ value: each, label: each }));
  return select(parent, state, "timeframe", "Timeframe", options);
}
