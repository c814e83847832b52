// Next token: a story told token by token, with what a bigram and the world
// expected. Chapter 2 derives both. The model holds
//   story    which of `stories` is told; -1: the reader's own text
//   step     how many tokens are told
//   text     the reader's own text
//   merges   "left right left right ...", ids; merge i makes id 256 + i
//   end      the id that closes a story, and opens the next
//   alpha    what is added to every count of the bigram
//   counts   "a b n a b n ...": b came n times after a
//   stories  "id id id", one string a story
//   truths   "id p id p,id p,...": at each place of a story, what may come

const SHOWN = 8; // rows of the table
const MOST = 300; // tokens of a typed text
const BIT = 0.4; // em of a bar

const numbers = (text) => (text ? text.split(" ").map(Number) : []);

// The tokenizer, with the name of the id that closes a story.
function makeTokenizer(merges, end) {
  const { bytes, encode } = kit.tokenizer(merges);
  while (bytes.length <= end) bytes.push([]);
  bytes[end] = kit.utf8("<|endoftext|>");
  return { bytes, encode };
}

// The bigram: p(b | a), smoothed, as the package's Bigram has it.
function makeBigram(counts, alpha, size) {
  const rows = new Map();
  for (let i = 0; i < counts.length; i += 3) {
    const [a, b, n] = counts.slice(i, i + 3);
    if (!rows.has(a)) rows.set(a, { seen: new Map(), total: 0 });
    rows.get(a).seen.set(b, n);
    rows.get(a).total += n;
  }
  const none = { seen: new Map(), total: 0 };
  const row = (a) => rows.get(a) ?? none;
  const p = (a, b) =>
    ((row(a).seen.get(b) ?? 0) + alpha) / (row(a).total + alpha * size);
  const likely = (a) => [...row(a).seen].sort((x, y) => y[1] - x[1]);
  return { p, likely: (a) => likely(a).map(([b]) => b) };
}

// What the world expects at each place of the stories, as Maps.
const readTruth = (text) =>
  text.split(",").map((place) => {
    const flat = numbers(place);
    const odds = new Map();
    for (let i = 0; i < flat.length; i += 2) odds.set(flat[i], flat[i + 1]);
    return odds;
  });

// At each place of these ids, the world's expectation or null: it is known
// where the ids so far are those of a story on this page.
function truthFor(ids, stories, truths) {
  return ids.map((_, t) => {
    const same = (row) => ids.slice(0, t).every((id, i) => row[i] === id);
    const k = stories.findIndex((row) => t < row.length && same(row));
    return k < 0 ? null : truths[k][t];
  });
}

const bits = (p) => -Math.log2(p);
const percent = (p) =>
  p === 0 ? "0 %" : p < 0.001 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`;

// The strip: every told token below the two surprises it was met with.
function makeStrip(tokenizer) {
  const list = kit.make("ol", { class: "nt-strip", role: "list" });
  const label = { role: "group", "aria-label": "Story", tabindex: 0 };
  const node = kit.make("div", { class: "nt-box", ...label }, list);
  function bar(kind, height) {
    const style = `height: ${(BIT * Math.min(height, 12)).toFixed(2)}em`;
    return kit.make("span", { class: `nt-${kind}`, style });
  }
  function place({ id, mine, world }, isLast) {
    const bars = kit.make("span", { class: "nt-bars" }, bar("mine", bits(mine)));
    if (world !== null) bars.append(bar("world", bits(world)));
    const token = kit.token(tokenizer.bytes[id], id, isLast);
    return kit.make("li", {}, bars, token);
  }
  function show(places) {
    const last = places.length - 1;
    list.replaceChildren(...places.map((p, i) => place(p, i === last)));
    node.scrollTop = node.scrollHeight;
  }
  return { node, show };
}

// The table: what could have come in the marked token's place.
function makeTable(tokenizer) {
  const body = kit.make("tbody");
  const heads = ["token", "bigram", "world"].map((name) =>
    kit.make("th", { scope: "col" }, name),
  );
  const caption = kit.make("caption");
  const node = kit.make(
    "table",
    { class: "nt-table" },
    caption,
    kit.make("thead", {}, kit.make("tr", {}, ...heads)),
    body,
  );
  function cell(kind, p) {
    if (p === null) return kit.make("td", { class: "nt-unknown" }, "?");
    const style = `width: ${(60 * p).toFixed(1)}%`;
    const bar = kit.make("span", { class: `nt-bar nt-bar-${kind}`, style });
    return kit.make("td", {}, bar, ` ${percent(p)}`);
  }
  function show(rows, after) {
    const chip = kit.make("bdi", { class: "nt-chip" }, after);
    caption.replaceChildren("What may come after ", chip);
    body.replaceChildren(
      ...rows.map(({ id, mine, world, came }) => {
        const name = kit.visible(tokenizer.bytes[id]);
        const head = kit.make("th", { scope: "row", "data-id": id }, name);
        const mark = came ? { class: "nt-came" } : {};
        return kit.make(
          "tr",
          mark,
          head,
          cell("mine", mine),
          cell("world", world),
        );
      }),
    );
  }
  return { node, show };
}

function render({ model, el }) {
  const end = model.get("end");
  const tokenizer = makeTokenizer(model.get("merges"), end);
  const counts = numbers(model.get("counts"));
  const bigram = makeBigram(counts, model.get("alpha"), tokenizer.bytes.length);
  const stories = model.get("stories").map(numbers);
  const truths = model.get("truths").map(readTruth);
  let ids = [];
  let odds = [];

  const root = kit.frame(el, "Next token");
  const names = stories.map((_, i) => `Story ${i + 1}`);
  const select = kit.make(
    "select",
    { class: "nt-select" },
    ...[...names, "Your own text"].map((name, i) =>
      kit.make("option", { value: i < names.length ? i : -1 }, name),
    ),
  );
  const pick = kit.make("label", { class: "nt-pick" }, "Story ", select);
  const input = kit.make("textarea", { rows: 2, spellcheck: "false" });
  const field = kit.make("label", { class: "lx-label" }, "Text", input);
  const strip = makeStrip(tokenizer);
  const table = makeTable(tokenizer);
  const said = kit.make("span", { class: "nt-said" });
  const [mineNode, mineSum] = kit.figure("bits for the bigram");
  const [worldNode, worldSum] = kit.figure("bits for the world");
  const figures = { class: "lx-figures" };
  const status = kit.make(
    "div",
    { role: "status", class: "lx-status" },
    said,
    kit.make("span", figures, mineNode, worldNode),
  );

  // What both made of the token at place t.
  function met(t) {
    const before = t ? ids[t - 1] : end;
    const world = odds[t] ? (odds[t].get(ids[t]) ?? 0) : null;
    return { id: ids[t], mine: bigram.p(before, ids[t]), world };
  }
  function rowsAt(t) {
    const before = t ? ids[t - 1] : end;
    const truth = odds[t];
    const order = truth ? [...truth].sort((x, y) => y[1] - x[1]) : [];
    const first = order.slice(0, SHOWN / 2).map(([id]) => id);
    const all = [...new Set([ids[t], ...first, ...bigram.likely(before)])];
    return all
      .slice(0, SHOWN)
      .map((id) => ({
        id,
        mine: bigram.p(before, id),
        world: truth ? (truth.get(id) ?? 0) : null,
        came: id === ids[t],
      }))
      .sort((x, y) => (y.world ?? 0) - (x.world ?? 0) || y.mine - x.mine);
  }
  function sum(values) {
    if (values.some((v) => v === null)) return "?";
    const total = values.reduce((s, p) => s + bits(p), 0);
    return Number.isFinite(total) ? total.toFixed(1) : "\u221e";
  }
  function paint() {
    const n = stepper.at();
    const places = Array.from({ length: n }, (_, t) => met(t));
    strip.show(places);
    mineSum.textContent = sum(places.map((p) => p.mine));
    worldSum.textContent = sum(places.map((p) => p.world));
    table.node.hidden = n === 0;
    if (n === 0) {
      said.textContent = ids.length ? "Nothing is told yet." : "Type a text.";
    } else {
      const { mine, world } = places[n - 1];
      const truth =
        world === null
          ? "What the world expected is not stored for this beginning."
          : `The world gave it ${percent(world)}.`;
      said.textContent =
        `Token ${n} of ${ids.length}. ` +
        `The bigram gave it ${percent(mine)}. ${truth}`;
      const before = n > 1 ? ids[n - 2] : end;
      table.show(rowsAt(n - 1), kit.visible(tokenizer.bytes[before]));
    }
    stepper.say(said.textContent);
  }
  function load(step) {
    const k = Number(select.value);
    ids = k >= 0 ? stories[k] : tokenizer.encode(input.value).slice(0, MOST);
    odds = k >= 0 ? truths[k] : truthFor(ids, stories, truths);
    field.hidden = k >= 0;
    stepper.reset(ids.length, step);
    paint();
  }
  function listen() {
    input.value = model.get("text");
    select.value = String(model.get("story"));
    load(model.get("step"));
  }
  const shared = kit.share(model, ["story", "step", "text"], listen);
  const stepper = kit.stepper("Tokens told", (step) => {
    paint();
    shared.tell({ step });
  });
  select.addEventListener("change", () => {
    load(0);
    shared.tell({ story: Number(select.value), step: stepper.at() });
  });
  input.addEventListener("input", () => {
    load(Infinity);
    shared.tell({ text: input.value, step: stepper.at() });
  });
  root.addEventListener("keydown", stepper.key);
  root.append(pick, field, stepper.node, status, strip.node, table.node);
  listen();
  return () => shared.stop();
}

export default { render };
