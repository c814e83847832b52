// Budget: the sizes of a decoder, and what its parts cost. Chapter 6 derives
// every formula here. The model holds
//   preset   the name that the sizes began from; "" once they were changed
//   sizes    recipe, n_layers, d_model, n_heads, n_kv_heads, d_head, d_ff,
//            vocab_size, max_len, n_experts, top_k, tie_embeddings (0 or 1)
//   presets  name -> sizes

const BYTES = 4; // of a number in float32

const range = (first, last, step) =>
  Array.from({ length: (last - first) / step + 1 }, (_, i) => first + i * step);
const doubling = (first, n) => Array.from({ length: n }, (_, i) => first * 2 ** i);

// name in `sizes`, its label, the values that its slider stops at
const DIALS = [
  ["n_layers", "Layers", () => range(1, 96, 1)],
  ["d_model", "Width", () => range(64, 8192, 64)],
  ["n_heads", "Heads", () => range(1, 64, 1)],
  ["n_kv_heads", "Key-value heads", (s) =>
    range(1, s.n_heads, 1).filter((k) => s.n_heads % k === 0)],
  ["vocab_size", "Vocabulary", () => doubling(256, 11)],
  ["max_len", "Context", () => doubling(64, 12)],
];

// Where a dial may stop: its own values, and those of the presets.
function stops(name, values, sizes, presets) {
  const free = name !== "n_kv_heads";
  const theirs = Object.values(presets).map((preset) => preset[name]);
  const all = new Set([...values(sizes), ...(free ? theirs : []), sizes[name]]);
  return [...all].sort((a, b) => a - b);
}

// Parameters by part: [label, how many]. `used` is what multiplies one token.
function parameters(s) {
  const { n_layers: L, d_model: C, d_head: D, d_ff: F, vocab_size: V } = s;
  const [q, kv] = [s.n_heads * D, s.n_kv_heads * D];
  const gpt2 = s.recipe === "gpt2_block";
  const moe = s.recipe === "moe_block";
  const qwen = s.recipe === "qwen_block";
  const attention = 2 * C * q + 2 * C * kv;
  const ffn = (gpt2 ? 2 : 3) * C * F;
  const biases = gpt2 ? [q + 2 * kv + C, F + C] : [0, 0];
  const norm = gpt2 ? 2 * C : C;
  const head = s.tie_embeddings ? 0 : V * C;
  const parts = [
    ["Token table", V * C],
    ["Position table", gpt2 ? s.max_len * C : 0],
    ["Attention", L * (attention + biases[0])],
    ["Feed-forward", L * (moe ? s.n_experts * ffn + C * s.n_experts
      : ffn + biases[1])],
    ["Norms", L * (2 * norm + (qwen ? 2 * D : 0)) + norm],
    ["Head of its own", head],
  ];
  const router = C * s.n_experts;
  const active = moe ? s.top_k * ffn + router : ffn;
  return { parts, used: L * (attention + active) + V * C };
}

// Numbers kept for the backward pass, one sequence of max_len tokens: as
// `train.memory` counts them, and the angles' table of rotary positions.
function activations(s) {
  const { recipe, d_model: C, d_ff: F, n_heads: H, n_kv_heads: K } = s;
  const [q, kv] = [H * s.d_head, K * s.d_head];
  const gpt2 = recipe === "gpt2_block";
  const norm = gpt2 ? C + 2 : 2 * C + 1;
  const turns = recipe === "qwen_block" ? 3 * q + 2 * kv + H + K : 0;
  const attention = C + 2 * q + 2 * kv + H + turns + (gpt2 ? 0 : 2 * s.d_head);
  let ffn = C + (gpt2 ? 2 : 4) * F;
  if (recipe === "moe_block") {
    ffn = C + s.top_k * (ffn + C + 8) + s.n_experts;
  }
  const ends = norm + C + s.vocab_size;
  return s.max_len * (s.n_layers * (2 * norm + attention + ffn) + ends);
}

function account(s) {
  const { parts, used } = parameters(s);
  const total = parts.reduce((n, [, x]) => n + x, 0);
  const kept = s.n_layers * 2 * s.n_kv_heads * s.d_head * s.max_len;
  const looks = 12 * s.n_layers * s.n_heads * s.d_head * s.max_len;
  return {
    parts,
    total,
    memory: [
      ["Weights", total * BYTES],
      ["Gradients", total * BYTES],
      ["AdamW", 2 * total * BYTES],
      ["Activations", activations(s) * BYTES],
      ["Key-value cache", kept * BYTES],
    ],
    work: [["Matrices", 6 * used], ["Looking back", looks]],
  };
}

// 124,439,808 as "124 M": three digits and a unit.
function short(x, units) {
  let i = 0;
  while (x >= 999.5 && i < units.length - 1) {
    x /= 1000;
    i++;
  }
  const digits = i === 0 || x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2;
  return `${x.toFixed(digits)} ${units[i]}`.trim();
}
const size = (x, units) => (x ? short(x, units) : "none");
const figures = (x) => x.toLocaleString("en-US");
const COUNT = ["", "K", "M", "B", "T"];
const SIZE = ["B", "kB", "MB", "GB", "TB"];
const FLOPS = ["FLOP", "KFLOP", "MFLOP", "GFLOP", "TFLOP"];

// Another width keeps the ratio of the hidden layer; another number of heads
// takes the nearest number of key-value heads that divides it.
function changed(sizes, name, value) {
  const s = { ...sizes, [name]: value };
  if (name === "d_model") {
    s.d_ff = Math.round((sizes.d_ff / sizes.d_model) * value);
  }
  if (name === "n_heads") {
    const same = sizes.n_kv_heads === sizes.n_heads;
    const fits = range(1, value, 1).filter((k) => value % k === 0);
    const wanted = same ? value : sizes.n_kv_heads;
    s.n_kv_heads = fits.filter((k) => k <= wanted).pop();
  }
  return s;
}

function render({ model, el }) {
  const root = kit.frame(el, "Parameter and memory budget");
  const presets = model.get("presets");
  let sizes = { ...model.get("sizes") };
  let preset = model.get("preset");

  const first = kit.make("option", { value: "" }, "sizes of your own");
  const choice = kit.make("select", { class: "lx-select" }, first,
    ...Object.keys(presets).map((x) => kit.make("option", { value: x }, x)));
  const pick = kit.make("label", { class: "lx-pick" }, "Begin with ", choice);
  const dials = DIALS.map(([name, label]) => kit.dial([name, label, [], figures], turn));
  const total = kit.make("div", { role: "status", class: "lx-total" });
  const names = (pairs) => pairs.map(([x]) => x);
  const start = account(sizes);
  const groups = [
    kit.bars("Parameters", names(start.parts), (x) => size(x, COUNT)),
    kit.bars("Memory", names(start.memory), (x) => size(x, SIZE)),
    kit.bars("Work for a token", names(start.work), (x) => size(x, FLOPS)),
  ];

  function paint() {
    choice.value = preset;
    DIALS.forEach(([name, , values], i) =>
      dials[i].show(sizes[name], stops(name, values, sizes, presets)));
    const now = account(sizes);
    const exact = now.total.toLocaleString("en-US");
    const recipe = sizes.recipe.replace("_", " ");
    total.textContent = `${exact} parameters, ${recipe}s, ` +
      `head size ${sizes.d_head}, hidden layer ${sizes.d_ff.toLocaleString("en-US")}`;
    const sum = (pairs) => pairs.reduce((n, [, x]) => n + x, 0);
    groups[0].show(now.parts, `${short(now.total, COUNT)} in all`);
    const train = sum(now.memory.slice(0, 4));
    groups[1].show(now.memory, `${short(train, SIZE)} to train, one text`);
    groups[2].show(now.work, `${short(sum(now.work), FLOPS)}, both passes`);
  }
  function turn(name, value) {
    sizes = changed(sizes, name, value);
    preset = "";
    paint();
    shared.tell({ sizes, preset });
  }
  choice.addEventListener("change", () => {
    preset = choice.value;
    if (preset) sizes = { ...presets[preset] };
    paint();
    shared.tell({ sizes, preset });
  });
  const shared = kit.share(model, ["sizes", "preset"], () => {
    const asked = model.get("preset");
    sizes = { ...(asked && asked !== preset ? presets[asked] : model.get("sizes")) };
    preset = asked;
    paint();
  });

  root.append(
    pick,
    kit.make("div", { class: "lx-dials" }, ...dials.map(({ node }) => node)),
    total,
    ...groups.map(({ node }) => node),
  );
  paint();
  return () => shared.stop();
}

export default { render };
