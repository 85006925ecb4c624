// @ts-check
// Lengths of candles. Exports: SECONDS, by timeframe.

/** @type {Record<string, number>} */
export const SECONDS = {
  "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14400, "6h": 21600, "12h": 43200,
  "1d": 86400,
};
