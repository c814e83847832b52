// Attention explorer: where a head looks from a word. Chapter 3 derives it;
// this is attention_weights of llm_utils.model.attention. The model holds
//   tokens   the text, token by token
//   names    of the heads
//   q        queries, numbers of (heads, T, D), row by row
//   k        keys, likewise
//   head, query      what is chosen
//   scaled, masked   whether scores are divided, and the future struck out

const CHOICES = ["head", "query", "scaled", "masked"];

// The numbers of a string as a function: (head, row) -> D numbers.
function readRows(text, heads, T) {
  const numbers = (text.match(/\S+/g) ?? []).map(Number);
  const D = numbers.length / (heads * T);
  return (head, row) => {
    const start = (head * T + row) * D;
    return numbers.slice(start, start + D);
  };
}

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

function softmax(scores) {
  const top = Math.max(...scores);
  const powers = scores.map((s) => Math.exp(s - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / total);
}

// All weights of a head: T rows of T numbers; what is masked has none.
function allWeights(data, { head, scaled, masked }) {
  const { T, q, k } = data;
  const all = Array.from({ length: T }, (_, s) => k(head, s));
  return all.map((_, t) => {
    const asked = q(head, t);
    const root = scaled ? Math.sqrt(asked.length) : 1;
    const keys = masked ? all.slice(0, t + 1) : all;
    return softmax(keys.map((key) => dot(asked, key) / root));
  });
}

const entropy = (weights) =>
  weights.reduce((sum, w) => sum - (w > 0 ? w * Math.log(w) : 0), 0);

const percent = (w) => `${(100 * w).toFixed(w < 0.0995 ? 1 : 0)} %`;

// A tick box with its words: [what to show, the box].
function makeSwitch(text) {
  const input = kit.make("input", { type: "checkbox" });
  return [kit.make("label", { class: "lx-switch" }, input, text), input];
}

// The heads as a list to choose from.
function makeHeads(names) {
  const options = names.map((name, i) =>
    kit.make("option", { value: i }, name),
  );
  const input = kit.make("select", { class: "lx-select" }, ...options);
  return [kit.make("label", { class: "lx-switch" }, "Head", input), input];
}

// The tokens as buttons; each has a bar as high as its weight.
function makeTokens(tokens, choose) {
  const columns = tokens.map((token, s) => {
    const bar = kit.make("span", { class: "lx-bar" });
    const share = kit.make("span", { class: "lx-share" });
    const room = kit.make("span", { class: "lx-room" }, bar);
    const word = kit.make("bdi", { class: "lx-text" }, token);
    const node = kit.make(
      "button",
      { type: "button", class: "lx-key" },
      share,
      room,
      word,
    );
    node.addEventListener("click", () => choose(s));
    return { node, bar, share };
  });
  const label = { role: "group", "aria-label": "Tokens" };
  const nodes = columns.map(({ node }) => node);
  const root = kit.make("div", { class: "lx-keys", ...label }, ...nodes);
  function show(weights, query) {
    columns.forEach(({ node, bar, share }, s) => {
      const w = weights[s];
      node.classList.toggle("lx-future", w === undefined);
      node.setAttribute("aria-pressed", s === query);
      node.title = w === undefined ? "masked" : "";
      bar.style.height = `${100 * (w ?? 0)}%`;
      share.textContent = w === undefined ? "" : percent(w);
    });
  }
  return { node: root, show };
}

// The whole map of the head, a row for each query.
function makeMap(T) {
  const cells = Array.from({ length: T * T }, () =>
    kit.make("span", { class: "lx-cell" }),
  );
  const node = kit.make("div", { class: "lx-map", role: "img" }, ...cells);
  node.style.setProperty("--lx-columns", T);
  function show(rows, query, name) {
    cells.forEach((cell, i) => {
      const [t, s] = [Math.floor(i / T), i % T];
      const w = rows[t][s];
      cell.classList.toggle("lx-future", w === undefined);
      cell.classList.toggle("lx-row", t === query);
      cell.style.setProperty("--lx-weight", w ?? 0);
    });
    node.setAttribute(
      "aria-label",
      `All weights of ${name}: queries down, keys across; row ${query + 1} ` +
        "is the chosen word.",
    );
  }
  return { node, show };
}

// What is said about the chosen row.
function makeStatus(tokens) {
  const line = kit.make("span", { class: "lx-line" });
  const [softNode, soft] = kit.figure("nats of entropy");
  const [sumNode, sum] = kit.figure("of the weight in the future");
  const figures = kit.make("span", { class: "lx-figures" }, softNode, sumNode);
  const attributes = { role: "status", class: "lx-status" };
  const node = kit.make("div", attributes, line, figures);
  function show(weights, query, name) {
    const order = weights.map((_, s) => s);
    order.sort((a, b) => weights[b] - weights[a]);
    const best = order
      .slice(0, 3)
      .map((s) => `${tokens[s]} (${s + 1}) ${percent(weights[s])}`);
    line.textContent =
      `In ${name}, "${tokens[query]}" (${query + 1}) looks at ` +
      `${best.join(", ")}.`;
    soft.textContent = entropy(weights).toFixed(2);
    const late = weights.slice(query + 1).reduce((a, b) => a + b, 0);
    sum.textContent = percent(late);
  }
  return { node, show };
}

function render({ model, el }) {
  const [tokens, names] = [model.get("tokens"), model.get("names")];
  const T = tokens.length;
  const data = {
    T,
    q: readRows(model.get("q"), names.length, T),
    k: readRows(model.get("k"), names.length, T),
  };
  const root = kit.frame(el, "Attention explorer");
  const [headNode, head] = makeHeads(names);
  const [scaleNode, scaled] = makeSwitch("divide by \u221aD");
  const [maskNode, masked] = makeSwitch("causal mask");
  const strip = makeTokens(tokens, (query) => change({ query }));
  const status = makeStatus(tokens);
  const map = makeMap(T);
  const state = {};

  function paint() {
    const rows = allWeights(data, state);
    head.value = state.head;
    scaled.checked = state.scaled;
    masked.checked = state.masked;
    strip.show(rows[state.query], state.query);
    status.show(rows[state.query], state.query, names[state.head]);
    map.show(rows, state.query, names[state.head]);
  }
  function change(values) {
    Object.assign(state, values);
    paint();
    shared.tell(values);
  }
  function load() {
    CHOICES.forEach((name) => (state[name] = model.get(name)));
    state.head = Math.max(0, Math.min(names.length - 1, state.head));
    state.query = Math.max(0, Math.min(T - 1, state.query));
    paint();
  }
  const shared = kit.share(model, CHOICES, load);
  head.addEventListener("change", () => change({ head: Number(head.value) }));
  scaled.addEventListener("change", () => change({ scaled: scaled.checked }));
  masked.addEventListener("change", () => change({ masked: masked.checked }));
  strip.node.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const to = state.query + (step ?? 0);
    if (!step || to < 0 || to >= T) return;
    event.preventDefault();
    change({ query: to });
    strip.node.children[to].focus();
  });
  root.append(
    kit.make("div", { class: "lx-choices" }, headNode, scaleNode, maskNode),
    strip.node,
    status.node,
    map.node,
  );
  load();
  return () => shared.stop();
}

export default { render };
