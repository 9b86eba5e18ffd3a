// The curves: one figure a number, and how many runs have arrived.

const TICKS = [1, 2, 5];

/** The scale and the axis of steps or tokens: logarithmic beyond a decade under the last one. */
function alongOf(view, last) {
  const title = view.x === "tokens" ? "tokens read" : "training step";
  const axis = { grid: false, title, labelExpr: SHORT_STEP, labelOverlap: true };
  if (view.scale === "linear") return { scale: { type: "linear", domain: [0, last], nice: false }, axis: { ...axis, tickCount: 6 } };
  const constant = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(last, 1))) - 1);
  const values = [0];
  for (let decade = constant; decade <= last; decade *= 10) values.push(...TICKS.map((tick) => tick * decade).filter((tick) => tick <= last));
  return { scale: { type: "symlog", constant, domain: [0, last], nice: false }, axis: { ...axis, title: `${title}, log scale`, values } };
}

/** The scale of a number: 0 to 1 of shares, else from the lowest to the highest value there is. */
function scaleOf(number, values) {
  if (number.share) return { domain: [0, 1] };
  const [low, high] = values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
  if (!values.length) return { domain: [0, 1] };
  if (number.log && low > 0) return { type: "log", domain: [low / 1.1, high * 1.1] };
  const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
  return { domain: [low - room, high + room], nice: true, zero: false };
}

/** The specification of a chart of curves with the scales that this view asks for. */
function scaled(spec, number, values, along, styles) {
  const made = structuredClone(spec);
  const groups = styles.map((style) => style.group);
  for (const layer of made.layer) {
    const { x, y, color, strokeDash } = layer.encoding;
    if (x?.field === "x") Object.assign(x, along);
    if (y?.field) {
      y.scale = scaleOf(number, values);
      y.axis = { ...y.axis, title: number.share || !number.unit ? null : number.unit };
    }
    if (color?.field) color.scale = { domain: groups, range: styles.map((style) => style.hue) };
    if (strokeDash?.field) strokeDash.scale = { domain: groups, range: styles.map((style) => style.dash) };
  }
  return made;
}

/** The figures of the numbers that are shown; each is made once and kept while it is shown. */
class Curves {
  constructor(page) {
    this.page = page;
    this.place = document.getElementById("charts");
    this.figures = new Map();
    this.arrivals = null;
  }

  show() {
    const { view } = this.page;
    for (const [column, figure] of this.figures) {
      if (view.show.includes(column)) continue;
      figure.remove();
      this.figures.delete(column);
    }
    for (const column of view.show) {
      if (!this.figures.has(column)) this.figures.set(column, new Figure(column, (datum) => this.page.choose(datum)));
      const figure = this.figures.get(column);
      this.place.append(figure.root);
      this.fill(figure, column);
    }
    this.showArrivals();
  }

  fill(figure, column) {
    const { data, view, styles } = this.page;
    const number = data.numbers[column];
    const points = pointsOf(data, column, view);
    const unit = number.unit && !number.share ? ` (${number.unit})` : "";
    figure.say(`${number.title}${unit}`, points.length ? (number.meaning ?? "") : this.nothing(column));
    const rows = points.map((point) => this.record(column, point));
    if (view.lines === "means") points.splice(0, points.length, ...meansOf(points, number.share));
    const last = Math.max(1, this.page.last());
    const baselines = baselinesOf(data, column, view, last);
    const values = [...points.map((point) => point.y ?? point.high), ...points.map((point) => point.y ?? point.low), ...baselines.map((row) => row.y).filter((value) => !number.log || value > 0)];
    const spec = scaled(data.charts[view.lines === "means" ? "means" : "curve"], number, values, alongOf(view, last), styles);
    figure.fixed = {
      key: JSON.stringify([view.x, view.scale, view.lines, view.by, values.length ? scaleOf(number, values) : null]), spec, rows,
      data: { points, baselines, marks: marksOf(data, column, view) },
    };
    this.moveOne(figure);
  }

  /** Move the line of the step that the page is at; nothing else is drawn anew. */
  move() {
    this.figures.forEach((figure) => this.moveOne(figure));
  }

  moveOne(figure) {
    const { data, view } = this.page;
    const x = placeOf(data.runs[view.run], view.step, view.x);
    const now = x === null ? [] : [{ x }];
    figure.show({ ...figure.fixed, data: { ...figure.fixed.data, now } });
  }

  nothing(column) {
    const { view } = this.page;
    if (view.x === "tokens") return "Not along tokens: the runs did not log them here.";
    return view.off.length ? "No run of the groups that are shown measured it." : "Not measured.";
  }

  record(column, point) {
    const { data } = this.page;
    const run = data.runs.find((one) => one.name === point.run);
    const interval = intervalOf(data, run, column, point.y);
    return {
      run: run.name, data: run.data, arm: run.arm, depth: run.depth, seed: run.seed, number: column,
      step: point.at, value: point.y, low: interval?.[0] ?? null, high: interval?.[1] ?? null,
    };
  }

  showArrivals() {
    const { data, view, styles } = this.page;
    const place = document.getElementById("arrivals");
    const all = data.arrivals.curves;
    if (!all.length) return;
    const named = (one) => (severalData(data) ? `${one.data}: ${one.group}` : one.group);
    const curves = all.filter((one) => one.by === view.by && !view.off.includes(named(one)));
    if (!this.arrivals) {
      this.arrivals = new Figure("arrivals", (datum) => this.page.choose(datum));
      place.append(element("h3", {}, "Runs that have generalised"), this.arrivals.root);
    }
    const points = curves.flatMap((one) => one.rows.map(([step, arrived, low, high]) => ({
      x: step, y: arrived, low, high, at: step, group: named(one), step: sayStep(step), arrived: sayValue(arrived, true),
      interval: `${low.toFixed(3)} to ${high.toFixed(3)}`,
      runs: `${one.seeds}, of which ${one.never} had not arrived at their end`,
    })));
    const what = `Fraction of runs whose generalization accuracy has come to ${data.arrivals.level} at two evaluations in a row, by step (Kaplan and Meier's estimate; bands: 95 %).`;
    const other = "No group here has two runs: group by arm or depth to see arrivals.";
    this.arrivals.say("Arrival of generalization", points.length ? what : other);
    this.arrivals.empty(!points.length);
    const number = { share: true };
    const along = alongOf({ ...view, x: "steps" }, Math.max(1, ...data.runs.map((run) => run.evaluations.steps.at(-1))));
    this.arrivals.show({
      key: [view.scale, view.by].join(), spec: scaled(data.charts.arrivals, number, [], along, styles), data: { points },
      rows: points.map(({ group, at, y, low, high }) => ({ group, step: at, arrived: y, low, high })),
    });
  }
}
