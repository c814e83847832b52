// BPE stepper: a text, and its pieces after each merge. Chapter 1 derives the
// rule; this is ByteBPE.trace, and its last step is ByteBPE.encode. The model
// holds
//   text        what to encode
//   step        where the reader is: 0 is single bytes
//   merges      "left right left right ...", ids; merge i makes id 256 + i
//   byte_order  hex of the bytes with ids 0 to 255; "" if each is its own id

const LIMIT = 300; // bytes

// GPT-2's pattern. \p{White_Space} is what \s means to Python's regex.
const SPACE = "\\p{White_Space}";
const PIECE = new RegExp(
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+" +
    `| ?[^${SPACE}\\p{L}\\p{N}]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`,
  "gu",
);

const utf8 = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const pair = (left, right) => left * 2 ** 24 + right;

// The merges as tables: byte -> id, id -> bytes, pair of ids -> rank.
function readRules(model) {
  const order = model.get("byte_order").match(/../g);
  const bytes = Array.from({ length: 256 }, (_, id) => [
    order ? parseInt(order[id], 16) : id,
  ]);
  const numbers = model.get("merges").match(/\d+ \d+/g) ?? [];
  const merges = numbers.map((two) => two.split(" ").map(Number));
  const ids = new Map(bytes.map(([byte], id) => [byte, id]));
  const ranks = new Map();
  merges.forEach(([left, right], rank) => {
    ranks.set(pair(left, right), rank);
    bytes.push([...bytes[left], ...bytes[right]]);
  });
  return { merges, ids, bytes, ranks };
}

// As much of the text as fits in LIMIT bytes, whole characters only.
function crop(text) {
  let size = 0;
  let kept = "";
  for (const char of text) {
    size += utf8.encode(char).length;
    if (size > LIMIT) return [kept, true];
    kept += char;
  }
  return [kept, false];
}

function lowestRank(rules, words) {
  let best = Infinity;
  for (const { ids } of words) {
    for (let i = 1; i < ids.length; i++) {
      best = Math.min(best, rules.ranks.get(pair(ids[i - 1], ids[i])) ?? best);
    }
  }
  return best;
}

// One word with every pair replaced by the new id, from left to right; `fresh`
// holds the places of the new tokens.
function mergeWord({ ids }, [left, right], id) {
  const out = [];
  const fresh = new Set();
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      fresh.add(out.length);
      out.push(id);
      i++;
    } else {
      out.push(ids[i]);
    }
  }
  return { ids: out, fresh };
}

// Every state of the text, from single bytes to its tokens. A merge never
// crosses a word, so the lowest rank of all words is next in each that has it.
function allSteps(rules, text) {
  let words = (text.match(PIECE) ?? []).map((word) => ({
    ids: [...utf8.encode(word)].map((b) => rules.ids.get(b)),
    fresh: new Set(),
  }));
  const steps = [{ words, rank: -1 }];
  for (;;) {
    const rank = lowestRank(rules, words);
    if (rank === Infinity) return steps;
    const [two, one] = [rules.merges[rank], 256 + rank];
    words = words.map((word) => mergeWord(word, two, one));
    steps.push({ words, rank });
  }
}

// A token as it is printed: spaces can be seen, parts of a character are hex.
function visible(bytes) {
  let text;
  try {
    text = strict.decode(Uint8Array.from(bytes));
  } catch {
    const hex = bytes.map((b) => `<${b.toString(16).padStart(2, "0")}>`);
    return hex.join("");
  }
  const named = { " ": "\u00b7", "\n": "\\n", "\t": "\\t", "\r": "\\r" };
  const code = (c) => `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`;
  return text
    .replace(/[ \n\t\r]/g, (c) => named[c])
    .replace(/[\p{C}\p{Z}]/gu, code)
    .replace(/^\p{M}/u, "\u25cc$&");
}

function render({ model, el }) {
  const { make } = kit;
  const rules = readRules(model);
  let text = model.get("text");
  let steps = [];

  const root = kit.frame(el, "BPE stepper");
  const input = make("textarea", { rows: 2, spellcheck: "false" });
  const cropped = make("span", { class: "lx-note" });
  const strip = make("ol", { class: "lx-strip", role: "list" });
  const box = make(
    "div",
    { class: "lx-box", tabindex: 0, role: "group", "aria-label": "Tokens" },
    strip,
  );
  const rule = make("span", { class: "lx-rule" });
  const [bytesNode, byteCount] = kit.figure("bytes");
  const [tokensNode, tokenCount] = kit.figure("tokens");
  const [ratioNode, ratio] = kit.figure("bytes per token");
  const stepper = kit.stepper("Merge step", (step) => {
    model.set("step", step);
    model.save_changes();
    paint(step);
  });

  function token(id, fresh) {
    const bytes = rules.bytes[id];
    const hex = bytes.map((b) => b.toString(16).padStart(2, "0")).join(" ");
    const kind = bytes.length === 1 ? "lx-byte" : `lx-hue-${id % 5}`;
    return make(
      "span",
      {
        class: `lx-token ${kind}${fresh ? " lx-fresh" : ""}`,
        "data-id": id,
        title: `id ${id}, bytes ${hex}`,
      },
      make("bdi", { class: "lx-text" }, visible(bytes)),
      make("span", { class: "lx-id" }, String(id)),
    );
  }

  function fill(words) {
    strip.replaceChildren(
      ...words.map(({ ids, fresh }) =>
        make("li", {}, ...ids.map((id, i) => token(id, fresh.has(i)))),
      ),
    );
  }

  function describe(step) {
    const { words, rank } = steps[step];
    if (step === 0) {
      return [words.length ? "One token per byte." : "Type a text above."];
    }
    const [left, right] = rules.merges[rank];
    const id = 256 + rank;
    const places = words.reduce((n, { fresh }) => n + fresh.size, 0);
    const chip = (x) =>
      make("bdi", { class: "lx-chip" }, visible(rules.bytes[x]));
    const where = places === 1 ? "1 place" : `${places} places`;
    const end = step === steps.length - 1 ? " No rule is left." : "";
    return [
      `Rule ${rank + 1}: `,
      make("span", {}, chip(left), " + ", chip(right), " \u2192 ", chip(id)),
      ` (id ${id}) in ${where}.${end}`,
    ];
  }

  function paint(step) {
    const { words } = steps[step];
    const bytes = steps[0].words.reduce((n, { ids }) => n + ids.length, 0);
    const tokens = words.reduce((n, { ids }) => n + ids.length, 0);
    fill(words);
    rule.replaceChildren(
      make("b", {}, `Step ${step} of ${steps.length - 1}. `),
      ...describe(step),
    );
    byteCount.textContent = bytes;
    tokenCount.textContent = tokens;
    ratio.textContent = tokens ? (bytes / tokens).toFixed(2) : "0.00";
    stepper.say(rule.textContent);
  }

  // Keep the height of the longest state, so that nothing below moves.
  let width = 0;
  function reserve() {
    width = box.clientWidth;
    strip.style.minHeight = "";
    fill(steps[0].words);
    strip.style.minHeight = `${strip.offsetHeight}px`;
  }
  const resized = new ResizeObserver(() => {
    if (box.clientWidth === width) return;
    reserve();
    fill(steps[stepper.at()].words);
  });

  function load(step) {
    const [kept, long] = crop(text);
    steps = allSteps(rules, kept);
    cropped.textContent = long ? `Only the first ${LIMIT} bytes are used.` : "";
    reserve();
    paint(stepper.reset(steps.length - 1, step));
  }

  // From Python: w.text = "...", w.step = 3.
  function followText() {
    if (model.get("text") !== text) {
      input.value = text = model.get("text");
      load(model.get("step"));
    }
  }
  function followStep() {
    if (model.get("step") !== stepper.at()) load(model.get("step"));
  }

  input.value = text;
  input.addEventListener("input", () => {
    const last = steps.length - 1;
    const step = stepper.at();
    text = input.value;
    load(last > 0 && step >= last ? Infinity : step);
    model.set("text", text);
    model.set("step", stepper.at());
    model.save_changes();
  });
  root.addEventListener("keydown", stepper.key);
  root.append(
    make(
      "label",
      { class: "lx-label" },
      make("span", { class: "lx-head" }, make("span", {}, "Text"), cropped),
      input,
    ),
    stepper.node,
    make(
      "div",
      { role: "status", class: "lx-status" },
      rule,
      make("span", { class: "lx-figures" }, bytesNode, tokensNode, ratioNode),
    ),
    box,
  );
  load(model.get("step"));
  resized.observe(root);
  model.on("change:text", followText);
  model.on("change:step", followStep);
  return () => {
    resized.disconnect();
    model.off("change:text", followText);
    model.off("change:step", followStep);
  };
}

export default { render };
