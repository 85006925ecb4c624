// @ts-check
// The panels around the market chart. Each draws one answer into its element. Exports: venues(element, crypto),
// sentiment(element), rankings(element), all asking for themselves; alerts(element, envelope, rows) with rows at hand.

import { ask } from "./api.js";
import { element, fill } from "./dom.js";
import { age, day, moment, number, price, signed } from "./format.js";
import { sparkline } from "./sparkline.js";
import { table } from "./table.js";
import { verdict } from "./trust.js";

/** @param {import("./api.js").Envelope} envelope */
function trustLine(envelope) {
  const line = element("div");
  verdict(line, envelope);
  return line;
}

/** The last price of the coin at each venue. @param {HTMLElement} parent @param {string} crypto
 * @param {string[]} symbols its markets; [] where they are not known */
export async function venues(parent, crypto, symbols) {
  const asked = symbols.length ? symbols.map((symbol) => ({ symbol })) : [{}];
  const answers = await Promise.all(asked.map((each) => ask("tickers/latest", each)));
  const rows = answers.flatMap((answer) => answer.data).filter((row) => row.symbol.startsWith(`${crypto}/`));
  const spread = (/** @type {any} */ row) => (row.bid && row.ask ? (10_000 * (row.ask - row.bid)) / row.bid : null);
  /** @param {string} key @param {string} label */
  const money = (key, label) => ({ key, label, kind: "number", format: price });
  const columns = [
    { key: "venue", label: "Venue" },
    { key: "symbol", label: "Market" },
    money("last", "Last"),
    money("bid", "Bid"),
    money("ask", "Ask"),
    { key: "spread", label: "Spread, bp", kind: "number", value: spread, hint: "ask over bid, hundredths of a percent",
      format: (/** @type {any} */ _, /** @type {any} */ row) => number(spread(row), 2) },
    { key: "change_percent_24h", label: "24 h", kind: "number", format: change },
    { key: "base_volume_24h", label: `24 h volume, ${crypto}`, kind: "number" },
    { key: "observed_at", label: "Observed at", kind: "time" },
    { key: "age_seconds", label: "Age", kind: "number", format: age },
  ];
  const options = { caption: `Last prices of ${crypto}; different quotes are not converted`, sort: "venue" };
  const empty = `No price of ${crypto} has been observed.`;
  const reasons = answers.flatMap((answer) => answer.reasons);
  const together = { ...answers[0], reasons, verdict: reasons.length ? "abstained" : "answered" };
  fill(parent, trustLine(together), table(rows, columns, { ...options, empty }));
}

/** @param {any} value */
function change(value) {
  const direction = Number(value) > 0 ? "up" : Number(value) < 0 ? "down" : "";
  return element("span", { class: direction }, signed(value));
}

/** @param {HTMLElement} parent */
export async function sentiment(parent) {
  const answer = await ask("sentiment", { limit: 1000 });
  const newest = answer.data[answer.data.length - 1];
  const none = element("p", { class: "empty" }, "No index has been read yet.");
  if (!newest) return void fill(parent, trustLine(answer), none);
  const rows = answer.data.slice(-180);
  const values = rows.map((row) => Number(row.value));
  const extremes = `lowest ${Math.min(...values)}, highest ${Math.max(...values)}, now ${newest.value}`;
  const text = `Fear and Greed index, ${rows.length} days to ${day(newest.timestamp)}: ${extremes}.`;
  const span = `${day(rows[0].timestamp)} to ${day(newest.timestamp)}`;
  fill(
    parent,
    trustLine(answer),
    element("p", { class: "index" },
      element("strong", {}, number(newest.value)),
      element("span", {}, newest.classification),
      element("span", { class: "muted" }, `of 100, ${day(newest.timestamp)}`)),
    sparkline(values, text, { lowest: 0, highest: 100, levels: [25, 50, 75] }),
    element("p", { class: "note" }, `${span}; 0 is extreme fear, 100 extreme greed.`),
  );
}

/** @param {HTMLElement} parent */
export async function rankings(parent) {
  const answer = await ask("rankings");
  const ranked = answer.data.filter((row) => row.rank !== null); // a day that still runs has no rank yet
  const newest = ranked.reduce((latest, row) => (row.day > latest ? row.day : latest), "");
  const rows = answer.data.filter((row) => row.day === newest);
  const columns = [
    { key: "rank", label: "Rank", kind: "number", format: (/** @type {any} */ value) => number(value) },
    { key: "crypto", label: "Coin" },
    { key: "change_percent", label: "Day", kind: "number", format: (/** @type {any} */ value, /** @type {any} */ row) =>
      value === null ? String(row.reason).replaceAll("_", " ") : change(value) },
    { key: "close", label: "Close", kind: "number", format: price },
  ];
  const options = { caption: newest ? `By change over ${newest}` : "Coins by change", sort: "rank" };
  fill(parent, trustLine(answer), table(rows, columns, { ...options, empty: "No day has been ranked yet." }));
}

/** @param {HTMLElement} parent @param {import("./api.js").Envelope} envelope @param {any[]} rows */
export function alerts(parent, envelope, rows) {
  const columns = [
    { key: "triggered_at", label: "When, UTC", kind: "time",
      format: (/** @type {any} */ at) => moment(at).replace(" UTC", "") },
    { key: "change_percent", label: "Change", kind: "number", format: change },
    { key: "price", label: "Price", kind: "number", format: price },
    { key: "retracted_at", label: "", sortable: false, format: (/** @type {any} */ at) => (at ? "taken back" : "") },
  ];
  const speaking = [...new Set(rows.map((row) => `${row.venue} ${row.symbol}`))].join(", ");
  const caption = `${rows.length} ${rows.length === 1 ? "alert" : "alerts"} of ${speaking}, newest first`;
  const empty = "No alert in what is seen.";
  const shown = rows.some((row) => row.retracted_at) ? columns : columns.slice(0, 3);
  fill(parent, trustLine(envelope), table(rows, shown, { caption, sort: "-triggered_at", empty }));
  parent.removeAttribute("aria-busy");
}
