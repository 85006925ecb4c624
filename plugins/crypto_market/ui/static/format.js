// @ts-check
// Values as text, English, UTC. Exports: number(value, digits), price(value), percent(value, digits),
// signed(value, digits) -> "▲ +1.20 %", moment(time) -> "2025-06-01 13:00 UTC", day(time),
// age(seconds) -> "3 h 20 min",
// duration(seconds) -> "1.2 s", NOTHING (what is shown for null).

export const NOTHING = "–";

/** @param {any} value @param {number} [digits] exactly so many decimals; left out: up to three */
export function number(value, digits) {
  if (value === null || value === undefined || Number.isNaN(Number(value))) return NOTHING;
  const [least, most] = digits === undefined ? [0, 3] : [digits, digits];
  const shape = { minimumFractionDigits: least, maximumFractionDigits: most };
  return new Intl.NumberFormat("en", shape).format(Number(value));
}

/** A price with the decimals its size deserves. @param {any} value */
export function price(value) {
  const size = Math.abs(Number(value));
  return number(value, size >= 1 || size === 0 ? 2 : size >= 0.01 ? 4 : 8);
}

/** @param {any} value in percent, not a share @param {number} [digits] */
export function percent(value, digits = 2) {
  const text = number(value, digits);
  return text === NOTHING ? text : `${text} %`;
}

/** In percent with its sign and an arrow: colour is not the only one to say it.
 * @param {any} value @param {number} [digits] */
export function signed(value, digits = 2) {
  const text = percent(Math.abs(Number(value)), digits);
  if (value === null || value === undefined || text === NOTHING) return NOTHING;
  return Number(value) > 0 ? `▲ +${text}` : Number(value) < 0 ? `▼ −${text}` : text;
}

/** @param {any} time ISO text, Date, or seconds since the epoch */
export function moment(time) {
  const iso = isoOf(time);
  return iso === null ? NOTHING : `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** @param {any} time */
export function day(time) {
  return isoOf(time)?.slice(0, 10) ?? NOTHING;
}

/** @param {any} seconds */
export function age(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  const minutes = Math.floor(Number(seconds) / 60);
  if (minutes < 1) return `${Math.round(Number(seconds))} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${Math.floor(hours / 24)} d`;
}

/** @param {any} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  return Number(seconds) < 120 ? `${number(seconds, Number(seconds) < 10 ? 2 : 1)} s` : age(seconds);
}

/** @param {any} time @returns {string | null} */
function isoOf(time) {
  if (time === null || time === undefined || time === "") return null;
  const read = new Date(typeof time === "number" ? time * 1000 : time);
  return Number.isNaN(read.getTime()) ? null : read.toISOString();
}
