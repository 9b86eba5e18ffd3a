// From the data to what is drawn and written: pure functions.

/** The place of the last of the steps that is not after `step`; -1 where all are. */
function placeAt(steps, step) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const thousands = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function sayStep(step) {
  return thousands.format(step);
}

/** 16.2k for 16,200, on axes. */
const SHORT_STEP = "datum.value >= 1e9 ? format(datum.value / 1e9, '.3~r') + 'B' : datum.value >= 1e6 ? format(datum.value / 1e6, '.3~r') + 'M' : datum.value >= 1e3 ? format(datum.value / 1e3, '.3~r') + 'k' : format(datum.value, '~r')";

/** A value as hovers and tables write it: shares to three decimals, others to five digits. */
function sayValue(value, share) {
  if (value === null || value === undefined) return "not measured";
  return share ? value.toFixed(3) : String(Number(value.toPrecision(5)));
}

function isTraining(column) {
  return column.startsWith("training:");
}

function tableWith(run, column) {
  return isTraining(column) ? run.training : run.evaluations;
}

/** [low, high] of a value that is so many right of so many; null where nobody knows of how many. */
function intervalOf(data, run, column, value) {
  const examples = run.examples[column];
  if (!examples || value === null) return null;
  return data.intervals[examples]?.[Math.round(value * examples)] ?? null;
}

function sayInterval(data, run, column, value) {
  const found = intervalOf(data, run, column, value);
  return found ? `${found[0].toFixed(3)} to ${found[1].toFixed(3)}, of ${run.examples[column]}` : "not known";
}

/** Whether runs of several data are on the page: then no group may hold two of them. */
function severalData(data) {
  return new Set(data.runs.map((run) => run.data)).size > 1;
}

/** The group that a run is of: its arm, depth or seed, within the data that it is of. */
function groupOf(data, run, by) {
  const named = {
    arm: () => run.arm ?? run.name,
    depth: () => (run.depth === null ? "depth not known" : `${run.depth} layer${run.depth === 1 ? "" : "s"}`),
    seed: () => (run.seed === null ? run.name : `seed ${run.seed}`),
  }[by]();
  return severalData(data) ? `${run.data}: ${named}` : named;
}

/** Every group in the order of its first run; of depths and seeds in that of their numbers. */
function groupsOf(data, by) {
  const found = [...new Set(data.runs.map((run) => groupOf(data, run, by)))];
  return by === "arm" ? found : found.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
}

/** Hue and dashes of each group. */
function stylesOf(groups, hues, dashes) {
  return groups.map((group, place) => ({
    group, hue: hues[place % hues.length], dash: dashes[place % dashes.length],
  }));
}

/** The points of one number: a row for each run that is shown and evaluation that measured it. */
function pointsOf(data, column, view) {
  const { share } = data.numbers[column];
  return data.runs.flatMap((run) => {
    const group = groupOf(data, run, view.by);
    const table = tableWith(run, column);
    const values = table.columns[column];
    const along = view.x === "tokens" ? table.tokens : table.steps;
    if (!values || !along || view.off.includes(group)) return [];
    return table.steps.flatMap((step, place) => {
      const value = values[place];
      if (value === null || along[place] === null) return [];
      return [{
        x: along[place], y: value, group, run: run.name, at: step, step: sayStep(step),
        value: sayValue(value, share), interval: sayInterval(data, run, column, value),
      }];
    });
  });
}

/** Mean, lowest and highest of each group where all its runs were measured. */
function meansOf(points, share) {
  const groups = new Map();
  const runs = new Map();
  for (const point of points) {
    if (!runs.has(point.group)) runs.set(point.group, new Set());
    runs.get(point.group).add(point.run);
    const key = `${point.at} ${point.group}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(point);
  }
  return [...groups.values()].filter((rows) => rows.length === runs.get(rows[0].group).size).map((rows) => {
    const values = rows.map((row) => row.y);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const x = rows.reduce((sum, row) => sum + row.x, 0) / rows.length;
    return {
      x, mean, low, high, group: rows[0].group, at: rows[0].at, step: rows[0].step,
      "mean of runs": `${sayValue(mean, share)}, of ${rows.length}`,
      "lowest and highest": `${sayValue(low, share)} to ${sayValue(high, share)}`,
    };
  });
}

/** The marks of one number, along what the view is along; those that have no place there are not drawn. */
function marksOf(data, column, view) {
  return data.runs.flatMap((run) => {
    const group = groupOf(data, run, view.by);
    if (view.off.includes(group)) return [];
    return (run.marks[column] ?? []).flatMap((mark) => {
      const [x, from, to] = [mark.step, mark.from, mark.to].map((step) => placeOf(run, step, view.x));
      if (x === null || from === null || to === null) return [];
      return [{
        x, from, to, group, run: run.name, at: mark.step, mark: mark.what, step: sayStep(mark.step),
        kind: mark.what.startsWith("onset") ? "onset" : "crossing",
        between: `${sayStep(mark.from)} and ${sayStep(mark.to)}`,
      }];
    });
  });
}

/** Where a step lies along steps or tokens; between two evaluations on the line through them. */
function placeOf(run, step, x) {
  const { steps, tokens } = run.evaluations;
  if (x === "steps") return step;
  if (!tokens) return null;
  const place = placeAt(steps, step);
  if (place < 0) return null;
  const here = tokens[place];
  if (place === steps.length - 1 || steps[place] === step || here === null) return here;
  const next = tokens[place + 1];
  if (next === null) return null;
  return here + ((next - here) * (step - steps[place])) / (steps[place + 1] - steps[place]);
}

/** What a number must beat, as lines: a column of the first shown run that has it, or a level. */
function baselinesOf(data, column, view, last) {
  return (data.numbers[column].lines ?? []).flatMap((line) => {
    if (!line.column) return line.value === null ? [] : [0, last].map((x) => ({ x, y: line.value, line: line.title }));
    const run = data.runs.find((one) => one.evaluations.columns[line.column] && !view.off.includes(groupOf(data, one, view.by)));
    const along = view.x === "tokens" ? run?.evaluations.tokens : run?.evaluations.steps;
    if (!along) return [];
    return along.map((x, place) => ({ x, y: run.evaluations.columns[line.column][place], line: line.title }))
      .filter((row) => row.x !== null && row.y !== null);
  });
}

/** The last value of a number that was measured not after a step: [value, step]; nulls without one. */
function valueAt(run, column, step) {
  const table = tableWith(run, column);
  const values = table.columns[column];
  if (!values) return [null, null];
  for (let place = placeAt(table.steps, step); place >= 0; place -= 1) {
    if (values[place] !== null) return [values[place], table.steps[place]];
  }
  return [null, null];
}

/** The rows of one table of a step: each share, its interval, and what it must beat; wrong rules last. */
function rowsAt(data, run, table, step) {
  return Object.entries(data.numbers).filter(([column, number]) => number.table === table && run.evaluations.columns[column])
    .flatMap(([column, number]) => {
      const [value, at] = valueAt(run, column, step);
      if (value === null) return [];
      const line = number.lines?.[0];
      const beat = !line ? null : line.column ? valueAt(run, line.column, at)[0] : line.value;
      return [{
        row: number.row, y: value, beat, at, value: sayValue(value, true),
        interval: sayInterval(data, run, column, value), "to beat": beat === null ? "none" : sayValue(beat, true),
      }];
    }).sort((one, other) => one.row.startsWith("wrong rule") - other.row.startsWith("wrong rule"));
}

/** Spans of a tree as brackets: each one level above those that it holds. */
function levelsOf(spans) {
  const levels = new Map();
  const sorted = [...spans].sort((one, other) => one[1] - one[0] - (other[1] - other[0]));
  for (const [start, end] of sorted) {
    const inside = [...levels.values()].filter((span) => start <= span.start && span.end <= end && !(span.start === start && span.end === end));
    levels.set(`${start} ${end}`, { start, end, level: 1 + Math.max(0, ...inside.map((span) => span.level)) });
  }
  return [...levels.values()];
}
