// Filters of one step: which tokens are left, and how likely they become.
// Chapter 10 derives the filters. The model holds
//   at      which of the texts is shown
//   knobs   repetition_penalty, temperature, top_k (0: all), top_p, min_p
//   texts   what was said so far
//   merges, byte_order, specials   the tokenizer: how each id is printed
//   past    "id id id", one string a text
//   scores  "z z z": the score of each id, one string a text

const SHOWN = 12; // rows
const TOLD = 12; // drawn tokens that are kept

const steps = (first, last, by) =>
  Array.from({ length: Math.round((last - first) / by) + 1 }, (_, i) =>
    Number((first + i * by).toFixed(3)),
  );
const DIALS = [
  ["repetition_penalty", "Repetition penalty", steps(1, 2, 0.1)],
  ["temperature", "Temperature", steps(0, 2, 0.1)],
  ["top_k", "Top-k (0: all)", [0, 1, 2, 3, 4, 5, 8, 12, 20, 50]],
  ["top_p", "Top-p", steps(0, 1, 0.05)],
  ["min_p", "Min-p", steps(0, 1, 0.05)],
];

function softmax(scores) {
  const top = Math.max(...scores);
  const raised = scores.map((z) => Math.exp(z - top));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((x) => x / sum);
}

// The ids, the likeliest first; of equally likely ones the first.
const ranked = (scores) =>
  scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);

// The filters of the package, in its order; -Infinity is never.
function filtered(scores, past, knobs) {
  const { repetition_penalty: theta, temperature: t } = knobs;
  const seen = new Set(past);
  let z = scores.map((s, i) =>
    seen.has(i) ? (s < 0 ? s * theta : s / theta) : s,
  );
  const best = ranked(z)[0];
  z = z.map((s, i) => (t > 0 ? s / t : i === best ? s : -Infinity));
  const k = knobs.top_k || z.length;
  const least = z[ranked(z)[Math.min(k, z.length) - 1]];
  z = z.map((s) => (s < least ? -Infinity : s));
  const p = softmax(z);
  const order = ranked(p);
  let rest = 0;
  for (let r = order.length - 1; r > 0; r--) {
    rest += p[order[r]];
    if (rest <= 1 - knobs.top_p) z[order[r]] = -Infinity;
  }
  const floor = Math.max(...z) + Math.log(knobs.min_p);
  return z.map((s) => (s < floor ? -Infinity : s));
}

const entropy = (p) =>
  -p.reduce((sum, x) => sum + (x > 0 ? x * Math.log(x) : 0), 0);
const percent = (p) =>
  p === 0 ? "never" : p < 0.001 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`;

function draw(p) {
  let u = Math.random();
  const i = p.findIndex((x) => (u -= x) < 0);
  return i < 0 ? p.indexOf(Math.max(...p)) : i;
}

// The rows: a token, its probability before (a frame) and after (a bar).
function makeRows(tokens) {
  const list = kit.make("ul", { class: "sm-rows", role: "list" });
  function row([id, before, after]) {
    const style = (p) => `width: ${(100 * p).toFixed(2)}%`;
    const track = kit.make(
      "span",
      { class: "sm-track" },
      kit.make("span", { class: "sm-before", style: style(before) }),
      kit.make("span", { class: "sm-after", style: style(after) }),
    );
    const name = kit.make("bdi", { class: "sm-name" }, tokens[id]);
    const value = kit.make("span", { class: "lx-value" }, percent(after));
    const gone = after === 0 ? " sm-gone" : "";
    return kit.make(
      "li",
      { class: `sm-row${gone}`, "data-id": id, "data-p": after },
      name,
      track,
      value,
    );
  }
  return { node: list, show: (rows) => list.replaceChildren(...rows.map(row)) };
}

function render({ model, el }) {
  const root = kit.frame(el, "Filters of one step");
  const texts = model.get("texts");
  const { bytes } = kit.tokenizer(model.get("merges"), model.get("byte_order"));
  const tokens = [...bytes.map(kit.visible), ...model.get("specials")];
  const numbers = (text) => text.split(" ").map(Number);
  const past = model.get("past").map(numbers);
  const scores = model.get("scores").map(numbers);
  let p = [];
  let told = [];

  const names = texts.map((_, i) => `Text ${i + 1}`);
  const which = kit.switches("Text", names, change);
  const said = kit.make("p", { class: "sm-text" });
  const dials = DIALS.map(([name, label, values]) => [
    name,
    kit.chooser(label, values, change),
  ]);
  const sliders = { class: "lx-sliders" };
  const rows = makeRows(tokens);
  const [keptNode, kept] = kit.figure("tokens left");
  const [bitsNode, nats] = kit.figure("nats of entropy");
  const button = kit.make("button", { type: "button", class: "lx-button" },
    "Draw a token");
  const drawn = kit.make("span", { class: "sm-drawn" });
  const status = kit.make(
    "div",
    { role: "status", class: "lx-status" },
    kit.make("span", { class: "lx-figures" }, keptNode, bitsNode),
  );

  const knobs = () =>
    Object.fromEntries(dials.map(([name, dial]) => [name, dial.value()]));
  function paint() {
    const at = names.indexOf(which.value());
    const text = texts[at];
    said.textContent = text.length > 160 ? `\u2026${text.slice(-160)}` : text;
    const before = softmax(scores[at]);
    p = softmax(filtered(scores[at], past[at], knobs()));
    const order = ranked(before).slice(0, SHOWN);
    rows.show(order.map((id) => [id, before[id], p[id]]));
    kept.textContent = String(p.filter((x) => x > 0).length);
    nats.textContent = entropy(p).toFixed(2);
    drawn.replaceChildren();
    told = [];
  }
  function change() {
    paint();
    shared.tell({ at: names.indexOf(which.value()), knobs: knobs() });
  }
  function listen() {
    which.set(names[model.get("at")]);
    const values = model.get("knobs");
    dials.forEach(([name, dial]) => dial.set(values[name]));
    paint();
  }
  const shared = kit.share(model, ["at", "knobs"], listen);
  button.addEventListener("click", () => {
    told = [...told, tokens[draw(p)]].slice(-TOLD);
    const chips = told.map((x) => kit.make("bdi", { class: "sm-chip" }, x));
    drawn.replaceChildren(...chips);
  });
  root.append(
    which.node,
    said,
    kit.make("div", sliders, ...dials.map(([, dial]) => dial.node)),
    rows.node,
    status,
    kit.make("div", { class: "lx-buttons" }, button, drawn),
  );
  listen();
  return shared.stop;
}

export default { render };
