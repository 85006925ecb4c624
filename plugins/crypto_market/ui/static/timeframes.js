// @ts-check
// Lengths of candles and bars. Exports: SECONDS, by timeframe; readable(seconds, finest) -> the shortest bar of at
// least so many seconds that a clock or calendar knows and that is made of whole candles of `finest` seconds.

const [HOUR, DAY] = [3600, 86_400];

/** @type {Record<string, number>} */
export const SECONDS = {
  "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": HOUR, "2h": 2 * HOUR, "4h": 4 * HOUR, "6h": 6 * HOUR,
  "12h": 12 * HOUR, "1d": DAY,
};
const BARS = [
  60, 300, 900, 1800, ...[1, 2, 3, 4, 6, 8, 12].map((hours) => hours * HOUR),
  ...[1, 2, 3, 7, 14, 28].map((days) => days * DAY),
];

/** @param {number} seconds @param {number} finest */
export function readable(seconds, finest) {
  return BARS.find((bar) => bar >= seconds && bar % finest === 0) ?? Math.ceil(seconds / finest) * finest;
}
