// What the page shows, and how its address says it: pure functions of the data and of text.

const CHOICES = {
  x: ["steps", "tokens"],
  scale: ["log", "linear"],
  by: ["arm", "depth", "seed"],
  lines: ["runs", "means"],
};

/** The view of a page that was opened without an address. */
function firstView(data) {
  const main = Object.keys(data.numbers).filter((name) => data.numbers[name].main);
  const all = Object.keys(data.numbers);
  const several = (key) => new Set(data.runs.map((run) => run[key]).filter((one) => one !== null)).size > 1;
  const by = several("arm") ? "arm" : several("depth") ? "depth" : "seed";
  const run = data.runs.findIndex((one) => one.trees || one.maps);
  const view = {
    run: Math.max(run, 0), step: null, x: "steps", scale: "log", by,
    lines: data.runs.length > 12 ? "means" : "runs",
    show: (main.length ? main : all).slice(0, 9), off: [], tree: 0, sentence: 0,
  };
  view.step = lastStep(data, view.run);
  return view;
}

function lastStep(data, run) {
  return data.runs[run].evaluations.steps.at(-1);
}

/** The address of a view: what differs from the first one, and always the run and the step. */
function addressOf(view, data) {
  const first = firstView(data);
  const words = new URLSearchParams({ run: data.runs[view.run].name, step: view.step });
  for (const key of ["x", "scale", "by", "lines", "tree", "sentence"]) {
    if (view[key] !== first[key]) words.set(key, view[key]);
  }
  if (view.show.join() !== first.show.join()) words.set("show", view.show.join(" "));
  view.off.forEach((group) => words.append("off", group));
  return `#${words}`;
}

/** [view, problems] of an address: what it asks for that is not there is said, not passed over. */
function viewOf(address, data) {
  const view = firstView(data);
  const words = new URLSearchParams(address.replace(/^#/, ""));
  const problems = [];
  const wrong = (key, seen, expected, shown) =>
    problems.push(`The address asks for ${key} ${seen}, which is not here: expected ${expected}. Shown is ${shown}.`);
  if (words.has("run")) {
    const name = words.get("run");
    const place = data.runs.findIndex((run) => name === run.name);
    if (place >= 0) view.run = place;
    else wrong("run", name, "one of the runs listed below", data.runs[view.run].name);
    view.step = lastStep(data, view.run);
  }
  if (words.has("step")) readStep(words.get("step"), view, data, wrong);
  for (const [key, allowed] of Object.entries(CHOICES)) {
    if (!words.has(key)) continue;
    if (allowed.includes(words.get(key))) view[key] = words.get(key);
    else wrong(key, words.get(key), allowed.join(" or "), view[key]);
  }
  if (words.has("show")) {
    const asked = words.get("show").split(" ").filter(Boolean);
    view.show = asked.filter((name) => name in data.numbers);
    asked.filter((name) => !(name in data.numbers)).forEach((name) => wrong("the number", name, "one of the list", "the rest"));
  }
  view.off = words.getAll("off");
  for (const [key, part] of [["tree", "trees"], ["sentence", "maps"]]) {
    if (!words.has(key)) continue;
    const count = data.runs[view.run][part]?.sentences.length ?? 0;
    const place = Number(words.get(key));
    if (Number.isInteger(place) && place >= 0 && place < count) view[key] = place;
    else wrong(key, words.get(key), count ? `0 to ${count - 1}` : "none: this run has no such pictures", "the first");
  }
  return [view, problems];
}

function readStep(said, view, data, wrong) {
  const steps = data.runs[view.run].evaluations.steps;
  const step = Number(said);
  if (said.trim() !== "" && steps.includes(step)) {
    view.step = step;
    return;
  }
  const known = said.trim() !== "" && Number.isFinite(step);
  view.step = known ? nearestStep(steps, step) : steps.at(-1);
  const name = data.runs[view.run].name;
  wrong("step", said, `a step at which ${name} was evaluated`, known ? `the nearest one, ${sayStep(view.step)}` : `the last one, ${sayStep(view.step)}`);
}

/** Of several steps the one nearest to another; of two the later. */
function nearestStep(steps, step) {
  return steps.reduce((best, one) => (Math.abs(one - step) <= Math.abs(best - step) ? one : best));
}
