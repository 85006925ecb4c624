// Two nested intervals as a series of the chart: the wide one with a dashed edge, the narrow one with a solid edge, so
// that they can be told apart without colour.

/**
 * A pane view for `addCustomSeries`. Items: {time, lower, upper, lower95, upper95}; the wide pair may be null.
 * The option `color` is any CSS colour.
 */
export class IntervalBand {
  #renderer = new BandRenderer();

  renderer() {
    return this.#renderer;
  }

  update(data, options) {
    this.#renderer.update(data, options);
  }

  /** What the price scale has to make room for; the last value is the one that is shown. */
  priceValueBuilder(item) {
    return [item.lower95 ?? item.lower, item.upper95 ?? item.upper, (item.lower + item.upper) / 2];
  }

  isWhitespace(item) {
    return item.lower === undefined;
  }

  defaultOptions() {
    return { color: "#888888", lastValueVisible: false, priceLineVisible: false };
  }
}

class BandRenderer {
  #data = null;
  #options = null;

  update(data, options) {
    this.#data = data;
    this.#options = options;
  }

  draw(target, priceToCoordinate) {
    target.useBitmapCoordinateSpace((scope) => this.#draw(scope, priceToCoordinate));
  }

  #draw({ context, horizontalPixelRatio: wide, verticalPixelRatio: high }, priceToCoordinate) {
    const { bars, visibleRange } = this.#data ?? {};
    if (!bars?.length || !visibleRange) return;
    // One bar beyond each edge, so that the band does not end within the picture.
    const seen = bars.slice(Math.max(0, visibleRange.from - 1), visibleRange.to + 1);
    const points = seen.map(({ x, originalData: item }) => ({ x: x * wide, item }));
    const edge = (name) =>
      points
        .filter(({ item }) => item[name] !== null && item[name] !== undefined)
        .map(({ x, item }) => [x, priceToCoordinate(item[name]) * high]);

    context.save();
    context.fillStyle = context.strokeStyle = this.#options.color;
    context.lineWidth = wide;
    band(context, edge("lower95"), edge("upper95"), 0.14, [4 * wide, 3 * wide]);
    band(context, edge("lower"), edge("upper"), 0.22, []);
    context.restore();
  }
}

function band(context, lower, upper, opacity, dashes) {
  if (!lower.length) return;
  const line = (points) => {
    const path = new Path2D();
    for (const [x, y] of points) path.lineTo(x, y);
    return path;
  };
  context.globalAlpha = opacity;
  context.fill(line([...upper, ...lower.reverse()]));
  context.globalAlpha = 0.7;
  context.setLineDash(dashes);
  context.stroke(line(upper));
  context.stroke(line(lower));
}
