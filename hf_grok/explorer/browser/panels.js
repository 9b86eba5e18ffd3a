// One step of one run: trees, maps, and the tables of shares.

const LEVEL = 15; // pixels
const LETTER = 7.6;

/** What is said where a part has nothing to show; null where it has. */
function missing(run, part) {
  return run.missing[part] ? element("p", { class: "missing" }, run.missing[part]) : null;
}

/** A list to choose a sentence from. */
function sentenceChoice(label, sentences, chosen, onChange) {
  const options = sentences.map((one, place) => element("option", { value: String(place), selected: place === chosen }, one.words.join(" ")));
  const select = element("select", {}, ...options);
  select.addEventListener("change", () => onChange(Number(select.value)));
  return element("label", { class: "controls" }, label, select);
}

/** Trees: the gold one over the words, the projected one under them. */
class Trees {
  constructor(page) {
    this.page = page;
    this.place = document.getElementById("trees");
  }

  /** For another run: other sentences. */
  renew() {
    const { run, view } = this.page;
    this.figure?.remove();
    this.figure = null;
    this.place.replaceChildren();
    const empty = missing(run, "trees") ?? (run.trees ? null : element("p", { class: "missing" }, "Its sentences are too long to be drawn."));
    if (empty) return this.place.append(empty);
    view.tree = Math.min(view.tree, run.trees.sentences.length - 1);
    this.figure = new Figure("trees");
    const choice = sentenceChoice("Sentence ", run.trees.sentences, view.tree, (place) => this.page.change({ tree: place }));
    this.place.append(choice, this.figure.root);
    this.move();
  }

  move() {
    if (!this.figure) return;
    const { run, view } = this.page;
    const sentence = run.trees.sentences[view.tree];
    const place = placeAt(run.trees.steps, view.step);
    const at = place < 0 ? null : sentence.at[place];
    const step = place < 0 ? null : run.trees.steps[place];
    const score = at && at.f1 !== null ? `, F1 ${sayValue(at.f1, true)}` : "";
    const title = at ? `Step ${sayStep(step)}${score}` : "No tree was projected by this step";
    const over = sentence.gold ? "Over the words the gold tree, under them the projected one; dashed: not in the gold tree." : "Under the words the projected tree; the gold one is not known.";
    this.figure.say(title, over);
    this.figure.show(this.made(sentence, at, step));
  }

  made(sentence, at, step) {
    const gold = levelsOf(sentence.gold ?? []);
    const projected = levelsOf(at?.spans ?? []);
    const width = this.place.clientWidth || 600;
    const longest = Math.max(...sentence.words.map((word) => word.length));
    const upright = longest * LETTER > width / sentence.words.length;
    const zone = upright ? (longest * LETTER + 14) / LEVEL : 2;
    const deepest = Math.max(1, ...sentence.at.filter(Boolean).map((one) => Math.max(0, ...levelsOf(one.spans).map((span) => span.level))));
    const highest = Math.max(0, ...gold.map((span) => span.level));
    const right = new Set(gold.map(({ start, end }) => `${start} ${end}`));
    const verdict = (span) => (!gold.length ? "gold not known" : right.has(`${span.start} ${span.end}`) ? "in the gold tree" : "not in it");
    const bracket = (span, side, tree) => ({
      start: span.start + 0.07, end: span.end - 0.07, level: side * (zone / 2 + span.level), foot: side * (zone / 2 + span.level - 0.6),
      tree, words: sentence.words.slice(span.start, span.end).join(" "), verdict: verdict(span),
    });
    const spans = [...gold.map((span) => bracket(span, 1, "gold")), ...projected.map((span) => bracket(span, -1, "projected"))];
    const spec = structuredClone(this.page.data.charts.trees);
    spec.height = LEVEL * (highest + deepest + zone + 1.5);
    for (const layer of spec.layer) {
      layer.encoding.x.scale = { domain: [0, sentence.words.length], nice: false };
      layer.encoding.x.axis = null;
      layer.encoding.y.scale = { domain: [-(zone / 2 + deepest + 0.5), zone / 2 + highest + 0.5], nice: false };
      if (upright && layer.mark.type === "text") layer.mark.angle = 270;
    }
    const rows = [...gold.map((span) => ["gold", span]), ...projected.map((span) => ["projected", span])].map(([tree, span]) => ({
      sentence: sentence.words.join(" "), step, tree, start: span.start, end: span.end, words: sentence.words.slice(span.start, span.end).join(" "), verdict: verdict(span),
    }));
    const words = sentence.words.map((word, place) => ({ start: place + 0.5, level: 0, word }));
    return { key: `${this.page.view.run} ${this.page.view.tree} ${upright}`, spec, data: { spans, words }, rows };
  }
}

/** Maps: one figure for the best head of each relation of a sentence. */
class Maps {
  constructor(page) {
    this.page = page;
    this.place = document.getElementById("maps");
    this.figures = new Map();
  }

  renew() {
    const { run, view } = this.page;
    this.figures.forEach((figure) => figure.remove());
    this.figures.clear();
    this.place.replaceChildren();
    const empty = missing(run, "maps") ?? (run.maps ? null : element("p", { class: "missing" }, "Its sentences are too long to be drawn."));
    if (empty) return this.place.append(empty);
    view.sentence = Math.min(view.sentence, run.maps.sentences.length - 1);
    const choice = sentenceChoice("Sentence ", run.maps.sentences, view.sentence, (place) => this.page.change({ sentence: place }));
    const note = element("p", { class: "remark" }, "A row is a word that attends. Rings: gold arcs that the head finds; crosses: those that it misses. Its fraction of found arcs is of all test sentences.");
    const grid = element("div", { class: "grid maps" });
    this.place.append(choice, note, grid);
    for (const relation of Object.keys(run.maps.sentences[view.sentence].relations).sort()) {
      const figure = new Figure(`attention-${relation}`);
      this.figures.set(relation, figure);
      grid.append(figure.root);
    }
    this.move();
  }

  move() {
    const { run, view } = this.page;
    if (!this.figures.size) return;
    const sentence = run.maps.sentences[view.sentence];
    const place = placeAt(run.maps.steps, view.step);
    for (const [relation, figure] of this.figures) {
      const at = place < 0 ? null : sentence.relations[relation][place];
      figure.say(at ? `${relation}: ${at.head}` : `${relation}: no head by this step`);
      figure.show(this.made(relation, sentence, at, place < 0 ? null : run.maps.steps[place]));
    }
  }

  made(relation, { words }, at, step) {
    const arcs = new Map((at?.arcs ?? []).map(([row, column, found]) => [row * words.length + column, found ? "found" : "missed"]));
    const cells = (at?.weights ?? []).map((weight, number) => {
      const [row, column] = [Math.floor(number / words.length), number % words.length];
      return {
        row, column, share: weight / 100, weight: (weight / 100).toFixed(2), attending: words[row], attended: words[column],
        "gold arc": arcs.get(number) ?? "no",
      };
    });
    const spec = structuredClone(this.page.data.charts.map);
    spec.height = 95 + 19 * words.length;
    const rows = cells.map(({ row, column, attending, attended, share, ...rest }) => ({ relation, head: at.head, step, row, column, attending, attended, weight: share, "gold arc": rest["gold arc"] }));
    return {
      key: `${this.page.view.run} ${this.page.view.sentence}`, spec, rows,
      data: { cells, arcs: cells.filter((cell) => cell["gold arc"] !== "no") }, signals: { words: [...words] },
    };
  }
}

const BAR_ROOM = 23;

/** A table of shares of one step: bars, and the same as text. */
class Shares {
  constructor(page, part, title) {
    this.page = page;
    this.part = part;
    this.title = title;
    this.place = document.getElementById(part);
  }

  renew() {
    this.figure?.remove();
    this.figure = null;
    this.place.replaceChildren();
    const empty = missing(this.page.run, this.part);
    if (empty) return this.place.append(empty);
    this.figure = new Figure(this.part);
    this.text = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${this.title}, as a table` });
    this.place.append(this.figure.root, element("details", { class: "table" }, element("summary", {}, "As a table"), this.text));
    this.move();
  }

  move() {
    if (!this.figure) return;
    const { data, run, view } = this.page;
    const rows = rowsAt(data, run, this.part, view.step);
    const steps = [...new Set(rows.map((row) => row.at))];
    const at = steps.length ? `Step ${steps.map(sayStep).join(", ")}` : "Not measured by this step";
    this.figure.say(at, rows.some((row) => row.beat !== null) ? "Bars: the model. Dark ticks: what it must beat." : "");
    const spec = structuredClone(data.charts.bars);
    spec.height = 30 + BAR_ROOM * rows.length;
    this.figure.show({
      key: `${view.run} ${rows.length}`, spec, data: { rows },
      rows: rows.map(({ row, y, beat, at: step, interval }) => ({ run: run.name, step, row, value: y, "to beat": beat, interval })),
    });
    const cells = rows.map((row) => [row.row, row.value, row.interval, row["to beat"]]);
    this.text.replaceChildren(tableOf(["", "value", "interval", "to beat"], cells, `${this.title}. ${at}.`));
  }
}
