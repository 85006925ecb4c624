// A line, and two nested intervals around it, as a series of the chart: the wide one with a dashed edge, the narrow one
// with a solid edge, so that they can be told apart without colour. Nothing is drawn across a time of which nothing is
// known, as the library's own lines are.

/**
 * A pane view for `addCustomSeries`. Items: {time, value, lower, upper, lower95, upper95, isApart}; either pair may be
 * missing; isApart: nothing is known between the item before and this one. Options: `color`, any CSS colour, and
 * `dashes` of the line.
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
    return [item.lower95 ?? item.lower ?? item.value, item.upper95 ?? item.upper ?? item.value, item.value];
  }

  isWhitespace(item) {
    return item.value === undefined;
  }

  defaultOptions() {
    return { color: "#888888", dashes: [], lastValueVisible: false, priceLineVisible: false };
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
    const { bars, visibleRange, barSpacing } = this.#data ?? {};
    if (!bars?.length || !visibleRange) return;
    // One bar beyond each edge, so that the band does not end within the picture.
    const seen = bars.slice(Math.max(0, visibleRange.from - 1), visibleRange.to + 1);
    context.save();
    context.fillStyle = context.strokeStyle = this.#options.color;
    for (const run of runs(seen.map(({ x, originalData: item }) => ({ x, item })), barSpacing)) {
      const edge = (name) =>
        run
          .filter(({ item }) => item[name] !== null && item[name] !== undefined)
          .map(({ x, item }) => [x * wide, priceToCoordinate(item[name]) * high]);

      context.lineWidth = wide;
      band(context, edge("lower95"), edge("upper95"), 0.14, [4 * wide, 3 * wide]);
      band(context, edge("lower"), edge("upper"), 0.22, []);
      context.globalAlpha = 1;
      context.lineWidth = 2 * wide;
      context.setLineDash(this.#options.dashes.map((length) => length * wide));
      context.stroke(line(edge("value")));
    }
    context.restore();
  }
}

/** Points that belong together; one that stands alone is as wide as its bar. */
function runs(points, barSpacing) {
  const found = [];
  for (const point of points) {
    if (!found.length || point.item.isApart) found.push([]);
    found.at(-1).push(point);
  }
  const widened = ([{ x, item }]) => [{ x: x - barSpacing / 2, item }, { x: x + barSpacing / 2, item }];
  return found.map((run) => (run.length > 1 ? run : widened(run)));
}

function line(points) {
  const path = new Path2D();
  for (const [x, y] of points) path.lineTo(x, y);
  return path;
}

function band(context, lower, upper, opacity, dashes) {
  if (!lower.length) return;
  context.globalAlpha = opacity;
  context.fill(line([...upper, ...lower.reverse()]));
  context.globalAlpha = 0.7;
  context.setLineDash(dashes);
  context.stroke(line(upper));
  context.stroke(line(lower));
}
