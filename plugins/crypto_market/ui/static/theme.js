// @ts-check
// The colours follow Airflow's: <html data-theme="light|dark">. Airflow keeps its choice in localStorage "theme" and
// shows it as a class of its <html>; we are framed by the same origin and watch both, else the system's preference.
// Loaded with blocking="render", so that no page flashes. Exports: theme() -> "light" | "dark", onTheme(fn),
// colour(name) -> the present value of the custom property --name of base.css, for what is drawn on a canvas.

const system = matchMedia("(prefers-color-scheme: dark)");
/** @type {((name: string) => void)[]} */
const listeners = [];

/** @returns {Document | null} */
function airflow() {
  try {
    return window.parent === window ? null : window.parent.document;
  } catch {
    return null; // framed by a stranger's page: its colours are not ours to read
  }
}

function wanted() {
  const classes = airflow()?.documentElement.classList;
  if (classes?.contains("dark")) return "dark";
  if (classes?.contains("light")) return "light";
  const stored = localStorage.getItem("theme");
  if (stored === "dark" || stored === "light") return stored;
  return system.matches ? "dark" : "light";
}

export function theme() {
  return document.documentElement.dataset.theme ?? "light";
}

/** @param {(name: string) => void} listener called after the colours have changed */
export function onTheme(listener) {
  listeners.push(listener);
}

/** @param {string} name */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function follow() {
  const name = wanted();
  if (name === document.documentElement.dataset.theme) return;
  document.documentElement.dataset.theme = name;
  listeners.forEach((listener) => listener(name));
}

follow();
system.addEventListener("change", follow);
addEventListener("storage", follow);
const outer = airflow();
if (outer) new MutationObserver(follow).observe(outer.documentElement, { attributeFilter: ["class"] });
