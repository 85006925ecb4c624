// @ts-check
// Elements without markup: data becomes text, never HTML. Exports: element(tag, attributes, ...children),
// fill(parent, ...children) (replaces what is there), byId(id) (throws where the page lacks it).

/**
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `class`, `aria-*` and the like; `on…` functions listen; null: left out.
 * @param {...(Node | string | null | undefined)} children
 * @returns {any}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  return fill(made, ...children);
}

/** @param {Element} parent @param {...(Node | string | null | undefined)} children */
export function fill(parent, ...children) {
  parent.replaceChildren(.../** @type {any[]} */ (children.filter((child) => child !== null && child !== undefined)));
  return parent;
}

/** @param {string} id @returns {any} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`this page has no element #${id}`);
  return found;
}
