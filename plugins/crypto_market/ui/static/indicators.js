// @ts-check
// The indicators a person may put on the market chart, by name. Exports: INDICATORS, chosen(text) -> those named in
// "sma,rsi", columns(indicators) -> the fields to ask the API for. own: in a pane of its own, not over the prices.
// A line: field of the API, label, colour of base.css; histogram: columns from zero. levels: lines for the eye.

/** @typedef {{field: string, label: string, colour: string, histogram?: boolean}} Line */
/** @typedef {{name: string, label: string, own: boolean, lines: Line[], levels?: number[]}} Indicator */

/** @param {string[]} names @returns {Line[]} */
const lines = (...names) =>
  names.map((name, place) => ({ field: name, label: name.replaceAll("_", " "), colour: `series-${place + 1}` }));

/** @type {Indicator[]} */
export const INDICATORS = [
  { name: "sma", label: "Means of 7, 14 and 30 days", own: false, lines: lines("sma_7", "sma_14", "sma_30") },
  { name: "ema", label: "Exponential means (12, 26)", own: false, lines: lines("ema_12", "ema_26") },
  { name: "bollinger", label: "Bollinger bands", own: false,
    lines: lines("bollinger_upper", "bollinger_middle", "bollinger_lower") },
  { name: "fibonacci", label: "Fibonacci levels (7 days)", own: false,
    lines: lines("fibonacci_236", "fibonacci_382", "fibonacci_500", "fibonacci_618", "fibonacci_786") },
  { name: "rsi", label: "RSI (14)", own: true, lines: lines("rsi_14"), levels: [30, 70] },
  { name: "macd", label: "MACD (12, 26, 9)", own: true,
    lines: [{ field: "macd_histogram", label: "macd histogram", colour: "series-3", histogram: true },
      ...lines("macd", "macd_signal")] },
  { name: "stochastic", label: "Stochastic RSI", own: true, lines: lines("stoch_rsi_k", "stoch_rsi_d"),
    levels: [0.2, 0.8] },
  { name: "adx", label: "ADX (14)", own: true, lines: lines("adx_14", "di_plus_14", "di_minus_14"), levels: [25] },
  { name: "atr", label: "ATR (14)", own: true, lines: lines("atr_14") },
  { name: "volatility", label: "Realised volatility", own: true,
    lines: lines("realised_volatility_24h", "realised_volatility_7d") },
  { name: "sentiment", label: "Fear & Greed", own: true, lines: lines("fear_greed"), levels: [25, 75] },
];

/** @param {string} text */
export function chosen(text) {
  const names = text.split(",");
  return INDICATORS.filter((each) => names.includes(each.name));
}

/** @param {Indicator[]} indicators */
export function columns(indicators) {
  return indicators.flatMap((each) => each.lines.map((line) => line.field));
}
