// BPE stepper: a text, and its pieces after each merge. Chapter 1 derives the
// rule; this is ByteBPE.trace, and its last step is ByteBPE.encode. The model
// holds
//   text        what to encode
//   step        where the reader is: 0 is single bytes
//   merges      "left right left right ...", ids; merge i makes id 256 + i
//   byte_order  hex of the bytes with ids 0 to 255; "" if each is its own id

const LIMIT = 300; // bytes

// As much of the text as fits in LIMIT bytes, whole characters only.
function crop(text) {
  let size = 0;
  let kept = "";
  for (const char of text) {
    size += kit.utf8(char).length;
    if (size > LIMIT) return [kept, true];
    kept += char;
  }
  return [kept, false];
}

// The lowest id that two neighbors of a word can make.
function lowest(rules, words) {
  let best = Infinity;
  for (const { ids } of words) {
    for (let i = 1; i < ids.length; i++) {
      best = Math.min(best, rules.made(ids[i - 1], ids[i]));
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
// crosses a word, so the lowest id of all words is next in each that has it.
function allSteps(rules, text) {
  let words = rules.words(text).map((ids) => ({ ids, fresh: new Set() }));
  const steps = [{ words, rank: -1 }];
  for (;;) {
    const id = lowest(rules, words);
    if (id === Infinity) return steps;
    const two = rules.pairs[id - 256];
    words = words.map((word) => mergeWord(word, two, id));
    steps.push({ words, rank: id - 256 });
  }
}

const count = (words) => words.reduce((n, { ids }) => n + ids.length, 0);

// "Merge 14: i + s -> is (id 269) in 2 places."
function describe(rules, steps, step) {
  const { words, rank } = steps[step];
  if (step === 0) {
    return [words.length ? "One token per byte." : "Type a text above."];
  }
  const places = words.reduce((n, { fresh }) => n + fresh.size, 0);
  const where = places === 1 ? "1 place" : `${places} places`;
  const end = step === steps.length - 1 ? " No merge is left." : "";
  const [left, right, both] = [...rules.pairs[rank], 256 + rank].map((id) =>
    kit.make("bdi", { class: "lx-chip" }, kit.visible(rules.bytes[id])),
  );
  return [
    `Merge ${rank + 1}: `,
    kit.make("span", {}, left, " + ", right, " \u2192 ", both),
    ` (id ${256 + rank}) in ${where}.${end}`,
  ];
}

// What is said about a step: the merge, and three counts.
function makeStatus(rules) {
  const merge = kit.make("span", { class: "lx-merge" });
  const [bytesNode, bytes] = kit.figure("bytes");
  const [tokensNode, tokens] = kit.figure("tokens");
  const [ratioNode, ratio] = kit.figure("bytes per token");
  const figures = [bytesNode, tokensNode, ratioNode];
  const node = kit.make(
    "div",
    { role: "status", class: "lx-status" },
    merge,
    kit.make("span", { class: "lx-figures" }, ...figures),
  );
  function show(steps, step) {
    const [first, now] = [count(steps[0].words), count(steps[step].words)];
    const where = `Step ${step} of ${steps.length - 1}. `;
    const what = describe(rules, steps, step);
    merge.replaceChildren(kit.make("b", {}, where), ...what);
    bytes.textContent = first;
    tokens.textContent = now;
    ratio.textContent = (first / Math.max(now, 1)).toFixed(2);
    return merge.textContent;
  }
  return { node, show };
}

// The tokens, word by word. `reserve` keeps the height of the first state, the
// longest of all, so that nothing below moves.
function makeStrip(rules) {
  const list = kit.make("ol", { class: "lx-strip", role: "list" });
  const label = { role: "group", "aria-label": "Tokens", tabindex: 0 };
  const node = kit.make("div", { class: "lx-box", ...label }, list);
  function show(words) {
    const token = (id, fresh) => kit.token(rules.bytes[id], id, fresh);
    list.replaceChildren(
      ...words.map(({ ids, fresh }) =>
        kit.make("li", {}, ...ids.map((id, i) => token(id, fresh.has(i)))),
      ),
    );
  }
  function reserve(words) {
    list.style.minHeight = "";
    show(words);
    const { height } = list.getBoundingClientRect();
    list.style.minHeight = `${Math.ceil(height)}px`;
  }
  return { node, show, reserve };
}

// The text field with its label and, for a long text, a note.
function makeField() {
  const input = kit.make("textarea", { rows: 2, spellcheck: "false" });
  const note = kit.make("span", { class: "lx-note" });
  const head = kit.make("span", { class: "lx-head" }, "Text", note);
  const node = kit.make("label", { class: "lx-label" }, head, input);
  return { node, input, note };
}

function render({ model, el }) {
  const rules = kit.tokenizer(model.get("merges"), model.get("byte_order"));
  const root = kit.frame(el, "BPE stepper");
  const field = makeField();
  const status = makeStatus(rules);
  const strip = makeStrip(rules);
  let text = "";
  let steps = [];
  let width = -1;

  function paint() {
    strip.show(steps[stepper.at()].words);
    stepper.say(status.show(steps, stepper.at()));
  }
  function fit() {
    if (strip.node.clientWidth === width) return;
    width = strip.node.clientWidth;
    strip.reserve(steps[0].words);
    paint();
  }
  function load(newText, step) {
    text = newText;
    const [kept, isLong] = crop(text);
    steps = allSteps(rules, kept);
    const note = `Only the first ${LIMIT} bytes are used.`;
    field.note.textContent = isLong ? note : "";
    stepper.reset(steps.length - 1, step);
    width = -1;
    fit();
  }
  const shared = kit.share(model, ["text", "step"], () => {
    if (model.get("text") !== text) field.input.value = model.get("text");
    load(model.get("text"), model.get("step"));
  });
  const stepper = kit.stepper("Merge step", (step) => {
    paint();
    shared.tell({ step });
  });

  field.input.addEventListener("input", () => {
    const atEnd = stepper.at() === steps.length - 1 && steps.length > 1;
    load(field.input.value, atEnd ? Infinity : stepper.at());
    shared.tell({ text, step: stepper.at() });
  });
  root.addEventListener("keydown", stepper.key);
  root.append(field.node, stepper.node, status.node, strip.node);
  field.input.value = model.get("text");
  load(model.get("text"), model.get("step"));
  const resized = new ResizeObserver(fit);
  resized.observe(root);
  return () => {
    resized.disconnect();
    shared.stop();
  };
}

export default { render };
