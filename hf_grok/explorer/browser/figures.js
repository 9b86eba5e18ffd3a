// Figures: a title, a chart that Vega-Lite draws, and what is saved of it.

/** An element with attributes, and children as text or elements; text is never read as HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const lazily = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    lazily.unobserve(entry.target);
    entry.target.draw();
  }
}, { rootMargin: "200px" });

/** One chart of the page, drawn when it is near to what is seen, and then kept up to date. */
class Figure {
  /**
   * @param {string} name of the files that are saved
   * @param {function} onStep called with the step of a point that is chosen
   */
  constructor(name, onStep = null) {
    this.name = name.replace(/[^\w.-]+/g, "-");
    this.onStep = onStep;
    this.title = element("span", { class: "title" });
    this.meaning = element("span", { class: "meaning" });
    this.chart = element("div", { class: "chart" });
    this.rows = [];
    const png = element("button", { type: "button" }, "PNG");
    const csv = element("button", { type: "button" }, "CSV");
    png.addEventListener("click", () => this.savePicture());
    csv.addEventListener("click", () => saveText(`${this.name}.csv`, csvOf(this.rows)));
    this.buttons = [png, csv];
    const save = element("span", { class: "save" }, png, csv);
    this.root = element("figure", {}, element("figcaption", {}, this.title, save, this.meaning), this.chart);
    this.chart.draw = () => { this.near = true; this.draw(); };
    lazily.observe(this.chart);
  }

  /** Whether there is nothing to draw and to save: then what is said is all. */
  empty(nothing) {
    this.chart.hidden = nothing;
    this.buttons[0].parentElement.hidden = nothing;
  }

  say(title, meaning = "") {
    this.title.textContent = title;
    this.meaning.textContent = meaning;
    this.buttons[0].setAttribute("aria-label", `Save as PNG: ${title}`);
    this.buttons[1].setAttribute("aria-label", `Save data as CSV: ${title}`);
  }

  /**
   * Show data. The chart is made anew only if `key` is another than before.
   * @param {object} made {key, spec, data: {name: rows}, signals: {name: value}, rows: for the CSV}
   */
  show(made) {
    this.rows = made.rows;
    this.made = made;
    this.draw();
  }

  draw() {
    if (!this.near || !this.made) return;
    this.pending = (this.pending ?? Promise.resolve()).then(() => this.drawn(this.made));
    this.pending.catch((error) => { this.chart.textContent = `This chart could not be drawn: ${error.message}`; console.error(error); });
  }

  async drawn(made) {
    const before = this.shown;
    if (made === before) return;
    this.shown = made;
    if (this.key !== made.key) {
      this.result?.finalize();
      const spec = structuredClone(made.spec);
      spec.datasets = made.data;
      spec.description = this.title.textContent;
      this.result = await vegaEmbed(this.chart, spec, {
        actions: false, renderer: "canvas", tooltip: { theme: "light" },
        patch: (vega) => { vega.signals.push(...Object.entries(made.signals ?? {}).map(([name, value]) => ({ name, value }))); return vega; },
      });
      this.key = made.key;
      if (this.onStep) this.result.view.addEventListener("click", (_, item) => item?.datum?.at !== undefined && this.onStep(item.datum));
      if (!performance.getEntriesByName("first-picture").length) performance.mark("first-picture");
      return;
    }
    const { view } = this.result;
    for (const [name, rows] of Object.entries(made.data)) {
      if (rows !== before.data[name]) view.data(name, rows);
    }
    for (const [name, value] of Object.entries(made.signals ?? {})) view.signal(name, value);
    await view.runAsync();
  }

  async savePicture() {
    if (!this.result) return;
    save(`${this.name}.png`, await this.result.view.toImageURL("png", 2));
  }

  remove() {
    lazily.unobserve(this.chart);
    this.result?.finalize();
    this.root.remove();
  }
}

function save(name, address) {
  element("a", { href: address, download: name }).click();
}

function saveText(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  save(name, address);
  URL.revokeObjectURL(address);
}

/** Rows of one form as CSV; a text with a comma, quote or line feed in quotes. */
function csvOf(rows) {
  if (!rows.length) return "";
  const names = Object.keys(rows[0]);
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((row) => `${row.map(cell).join(",")}\n`).join("");
}

/** A table of texts; its first column heads the rows. */
function tableOf(names, rows, caption) {
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
  const lines = rows.map(([first, ...cells]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...cells.map((cell) => element("td", {}, cell))));
  return element("table", {}, element("caption", { class: "remark" }, caption), element("thead", {}, head), element("tbody", {}, ...lines));
}
