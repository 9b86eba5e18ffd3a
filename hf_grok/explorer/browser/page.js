// The page: its view, its controls, and its address.

const PAUSE = 450; // milliseconds between two steps of a page that plays

class Page {
  constructor(data) {
    this.data = data;
    this.problems = document.getElementById("problems");
    this.form = document.getElementById("curve-controls");
    this.player = document.getElementById("player");
    this.curves = new Curves(this);
    this.panels = [
      new Trees(this), new Maps(this), new Shares(this, "relations", "UAS by relation"),
      new Shares(this, "answers", "Answers by kind of clause"), new Shares(this, "paradigms", "Minimal pairs by paradigm"),
    ];
    this.listen();
    this.open();
  }

  get run() {
    return this.data.runs[this.view.run];
  }

  get styles() {
    return stylesOf(groupsOf(this.data, this.view.by), this.data.hues, this.data.dashes);
  }

  /** The end of the axis: the last step, or token, of any run. */
  last() {
    const ends = this.data.runs.map((run) => (this.view.x === "tokens" ? run.evaluations.tokens ?? [0] : run.evaluations.steps).at(-1) ?? 0);
    return Math.max(...ends);
  }

  /** Read the address, and show what it asks for. */
  open() {
    const [view, problems] = viewOf(location.hash, this.data);
    this.view = view;
    this.problems.replaceChildren(...problems.map((problem) => element("p", { class: "warning" }, problem)));
    this.fillControls();
    this.curves.show();
    this.renewRun();
    this.write();
  }

  /** Change a part of the view, and draw what hangs on it. */
  change(changes) {
    const before = this.view;
    this.view = { ...before, ...changes };
    const changed = (...keys) => keys.some((key) => this.view[key] !== before[key]);
    if (changed("by")) this.view.off = [];
    if (changed("by", "off")) this.fillLegend();
    if (changed("x", "scale", "by", "lines", "show", "off")) this.curves.show();
    if (changed("run")) this.renewRun();
    else if (changed("tree")) this.panels[0].renew();
    else if (changed("sentence")) this.panels[1].renew();
    if (changed("step", "show", "off", "by", "x")) this.move();
    this.write();
  }

  renewRun() {
    const { run } = this;
    const notes = run.notes.map((note) => element("p", { class: "warning" }, note));
    document.getElementById("run-notes").replaceChildren(...notes);
    this.player.elements.run.value = String(this.view.run);
    this.player.elements.place.max = String(run.evaluations.steps.length - 1);
    this.panels.forEach((panel) => panel.renew());
    this.move();
  }

  /** Everything that moves with the slider. */
  move() {
    const { steps } = this.run.evaluations;
    const place = Math.max(0, placeAt(steps, this.view.step));
    const slider = this.player.elements.place;
    slider.value = String(place);
    slider.setAttribute("aria-valuetext", `step ${sayStep(this.view.step)}`);
    document.getElementById("step-said").textContent = `${sayStep(this.view.step)} of ${sayStep(steps.at(-1))}`;
    document.getElementById("step-name").textContent = `${this.run.name}, step ${sayStep(this.view.step)}`;
    this.curves.move();
    this.panels.forEach((panel) => panel.move());
    this.showNumbers();
  }

  /** The table of the numbers that are shown: the same texts as those of the hovers. */
  showNumbers() {
    const { data, view } = this;
    const shown = data.runs.filter((run) => !view.off.includes(groupOf(data, run, view.by)));
    const rows = shown.map((run) => [run.name, ...view.show.map((column) => {
      const [value, at] = valueAt(run, column, view.step);
      if (value === null) return "not measured";
      const interval = intervalOf(data, run, column, value);
      const remark = [interval ? sayInterval(data, run, column, value) : null, at === view.step ? null : `at step ${sayStep(at)}`].filter(Boolean).join("; ");
      return element("span", {}, sayValue(value, data.numbers[column].share), remark ? element("span", { class: "remark" }, remark) : null);
    })]);
    const names = ["run", ...view.show.map((column) => data.numbers[column].title)];
    const caption = `At step ${sayStep(view.step)}, or at the last evaluation before it.`;
    document.querySelector("#at-step .scroll").replaceChildren(tableOf(names, rows, caption));
  }

  /** The step of a point that was chosen in a chart: the nearest evaluation of the run that is shown. */
  choose({ at, run }) {
    const place = this.data.runs.findIndex((one) => one.name === run);
    const chosen = place < 0 ? this.view.run : place;
    this.change({ run: chosen, step: nearestStep(this.data.runs[chosen].evaluations.steps, at) });
  }

  go(places) {
    const { steps } = this.run.evaluations;
    const place = Math.min(Math.max(placeAt(steps, this.view.step) + places, 0), steps.length - 1);
    this.change({ step: steps[place] });
  }

  play(playing = !this.timer) {
    clearInterval(this.timer);
    this.timer = null;
    const { steps } = this.run.evaluations;
    if (playing) {
      if (this.view.step === steps.at(-1)) this.change({ step: steps[0] });
      this.timer = setInterval(() => {
        this.go(1);
        if (this.view.step === this.run.evaluations.steps.at(-1)) this.play(false);
      }, PAUSE);
    }
    const button = document.getElementById("play");
    button.textContent = playing ? "Pause" : "Play";
    button.setAttribute("aria-pressed", String(playing));
  }

  /** The address says the view; a page inside another one, as on the Hub, tells that one too. */
  write() {
    const address = addressOf(this.view, this.data);
    document.getElementById("here").setAttribute("href", address);
    if (location.hash !== address) history.replaceState(null, "", address);
    if (window.parent !== window) window.parent.postMessage({ hash: address }, "https://huggingface.co");
  }

  listen() {
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.player.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", ({ target }) => this.change({ [target.name]: target.value }));
    const { run, place } = this.player.elements;
    run.addEventListener("change", () => {
      const chosen = Number(run.value);
      this.change({ run: chosen, step: nearestStep(this.data.runs[chosen].evaluations.steps, this.view.step) });
    });
    place.addEventListener("input", () => this.change({ step: this.run.evaluations.steps[Number(place.value)] }));
    document.getElementById("back").addEventListener("click", () => this.go(-1));
    document.getElementById("on").addEventListener("click", () => this.go(1));
    document.getElementById("play").addEventListener("click", () => this.play());
    document.addEventListener("keydown", (event) => this.onKey(event));
    window.addEventListener("hashchange", () => this.open());
    let waiting = null;
    window.addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.panels[0].move(), 150);
    });
  }

  onKey(event) {
    const elsewhere = event.target.closest("input, select, textarea, summary, button, [tabindex]");
    if (event.ctrlKey || event.metaKey || event.altKey || elsewhere) return;
    const { length } = this.run.evaluations.steps;
    const act = {
      ArrowLeft: () => this.go(-1), ArrowRight: () => this.go(1), Home: () => this.go(-length), End: () => this.go(length),
      p: () => this.play(), P: () => this.play(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  fillControls() {
    const { data, view } = this;
    const has = (key) => data.runs.some((run) => run[key] !== null);
    for (const name of ["x", "scale", "by", "lines"]) this.form.elements[name].value = view[name];
    const allowed = { arm: has("arm"), depth: has("depth"), seed: true };
    for (const option of this.form.elements.by.options) option.disabled = !allowed[option.value];
    this.form.elements.x.options[1].disabled = !data.runs.some((run) => run.evaluations.tokens);
    const options = data.runs.map((run, place) => element("option", { value: String(place) }, `${run.name}${run.status === "finished" ? "" : ` (${run.status})`}`));
    this.player.elements.run.replaceChildren(...options);
    this.fillPicker();
    this.fillLegend();
  }

  /** Boxes of all numbers, under the probes that measured them. */
  fillPicker() {
    const numbers = Object.entries(this.data.numbers);
    const owners = [...new Set(numbers.map(([, number]) => number.owner))];
    const parts = owners.map((owner) => {
      const boxes = numbers.filter(([, number]) => number.owner === owner).map((one) => this.numberBox(...one));
      return element("fieldset", {}, element("legend", {}, owner), ...boxes);
    });
    document.getElementById("numbers").replaceChildren(...parts);
  }

  numberBox(column, number) {
    const box = element("input", { type: "checkbox", value: column, checked: this.view.show.includes(column) });
    box.addEventListener("change", () => {
      const rest = this.view.show.filter((one) => one !== column);
      this.change({ show: box.checked ? [...rest, column] : rest });
    });
    return element("label", { title: number.meaning ?? "" }, box, number.title);
  }

  fillLegend() {
    const legend = document.getElementById("legend");
    const labels = this.styles.map(({ group, hue, dash }) => {
      const box = element("input", { type: "checkbox", checked: !this.view.off.includes(group) });
      box.addEventListener("change", () => {
        const rest = this.view.off.filter((one) => one !== group);
        this.change({ off: box.checked ? rest : [...rest, group] });
      });
      return element("label", {}, box, swatch(hue, dash), group);
    });
    legend.replaceChildren(legend.firstElementChild, ...labels);
  }
}

/** A piece of a group's line. */
function swatch(hue, dash) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  const line = document.createElementNS(space, "line");
  const set = (node, values) => Object.entries(values).forEach(([key, value]) => node.setAttribute(key, value));
  set(picture, { width: 34, height: 10, "aria-hidden": "true" });
  set(line, { x1: 0, x2: 34, y1: 5, y2: 5, stroke: hue, "stroke-width": 2.4, "stroke-dasharray": dash.join(" ") });
  picture.append(line);
  return picture;
}

window.explorer = new Page(JSON.parse(document.getElementById("data").textContent));
