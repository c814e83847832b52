// What the explorers share. The source of an explorer is this file followed
// by its own, which ends in `export default { render({ model, el }) }`: one
// module, for Jupyter (through anywidget) and for the pages of the book.

// GPT-2's pattern. \p{White_Space} is what \s means to Python's regex.
const SPACE = "\\p{White_Space}";
const PIECE = new RegExp(
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+" +
    `| ?[^${SPACE}\\p{L}\\p{N}]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`,
  "gu",
);

const kit = {
  // A DOM element: kit.make("p", { class: "lx-note" }, "text", child).
  make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  },

  // The named group that an explorer lives in. Keys typed here stay here:
  // Jupyter's shortcuts and the page's do not see them.
  frame(el, title) {
    const root = kit.make("div", {
      class: "lx",
      role: "group",
      "aria-label": title,
      "data-lm-suppress-shortcuts": "true",
    });
    root.addEventListener("keydown", (event) => event.stopPropagation());
    const body = kit.make("div", { class: "lx-body" });
    root.append(body);
    el.append(root);
    return body;
  },

  // Values that Python may set too: `changed` is called when it does, not
  // when the explorer itself tells the model.
  share(model, names, changed) {
    let telling = false;
    const listen = () => telling || changed();
    names.forEach((name) => model.on(`change:${name}`, listen));
    return {
      tell(values) {
        telling = true;
        for (const name in values) model.set(name, values[name]);
        telling = false;
        model.save_changes();
      },
      stop: () => names.forEach((name) => model.off(`change:${name}`, listen)),
    };
  },

  // A token's bytes as they are printed: spaces can be seen, what is no
  // character alone is hex (as in viz.visible), the invisible is escaped.
  visible(bytes) {
    let text;
    try {
      const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      text = strict.decode(Uint8Array.from(bytes));
    } catch {
      return bytes.map((byte) => `<${kit.hex(byte)}>`).join("");
    }
    const named = { " ": "\u00b7", "\n": "\\n", "\t": "\\t", "\r": "\\r" };
    const code = (c) => `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`;
    return text
      .replace(/[ \n\t\r]/g, (c) => named[c])
      .replace(/[\p{C}\p{Z}]/gu, code)
      .replace(/^\p{M}/u, "\u25cc$&");
  },

  hex: (byte) => byte.toString(16).padStart(2, "0"),

  // One token with its id below: a single byte is plain, others have the
  // color of their id, a marked one is what the text points at.
  token(bytes, id, marked = false) {
    const kind = bytes.length === 1 ? "lx-byte" : `lx-hue-${id % 5}`;
    return kit.make(
      "span",
      {
        class: `lx-token ${kind}${marked ? " lx-marked" : ""}`,
        "data-id": id,
        title: `id ${id}, bytes ${bytes.map(kit.hex).join(" ")}`,
      },
      kit.make("bdi", { class: "lx-text" }, kit.visible(bytes)),
      kit.make("span", { class: "lx-id" }, String(id)),
    );
  },

  utf8: (text) => [...new TextEncoder().encode(text)],

  // ByteBPE of the package, on GPT-2's pattern. `merges` is "left right left
  // right ...", ids; merge i makes id 256 + i. `order` is the hex of the bytes
  // with ids 0 to 255, "" if each is its own.
  tokenizer(merges, order = "") {
    const hex = order.match(/../g);
    const bytes = Array.from({ length: 256 }, (_, id) => [
      hex ? parseInt(hex[id], 16) : id,
    ]);
    const ids = new Map(bytes.map(([byte], id) => [byte, id]));
    const pairs = (merges.match(/\d+ \d+/g) ?? []).map((two) =>
      two.split(" ").map(Number),
    );
    const key = (left, right) => left * 2 ** 24 + right;
    const ours = new Map();
    pairs.forEach(([left, right]) => {
      ours.set(key(left, right), bytes.length);
      bytes.push([...bytes[left], ...bytes[right]]);
    });
    // The id that two neighbors make; the lowest is merged first.
    const made = (left, right) => ours.get(key(left, right)) ?? Infinity;
    const words = (text) =>
      (text.match(PIECE) ?? []).map((word) =>
        kit.utf8(word).map((byte) => ids.get(byte)),
      );
    function join(word) {
      for (;;) {
        let [best, at] = [Infinity, -1];
        for (let i = 1; i < word.length; i++) {
          const id = made(word[i - 1], word[i]);
          if (id < best) [best, at] = [id, i - 1];
        }
        if (at < 0) return word;
        word.splice(at, 2, best);
      }
    }
    // bytes: of each id; words: single bytes, word by word.
    const encode = (text) => words(text).flatMap(join);
    return { bytes, pairs, made, words, encode };
  },

  // A number with its unit, for a row of counts: [what to show, the number].
  figure(unit) {
    const number = kit.make("b", {}, "0");
    const label = { class: "lx-figure" };
    return [kit.make("span", label, number, ` ${unit}`), number];
  },

  // Four buttons and a slider over steps 0 to last; `show` is called with
  // each step the reader goes to, not by `reset`.
  stepper(name, show) {
    let at = 0;
    let last = 0;
    const slider = kit.make("input", {
      type: "range",
      min: 0,
      max: 0,
      value: 0,
      class: "lx-slider",
      "aria-label": name,
    });
    const moves = {
      First: () => 0,
      Back: () => at - 1,
      Next: () => at + 1,
      Last: () => last,
    };
    const keys = {
      Home: moves.First,
      ArrowLeft: moves.Back,
      ArrowRight: moves.Next,
      End: moves.Last,
    };
    const buttons = Object.keys(moves).map((label) =>
      kit.make("button", { type: "button", class: "lx-button" }, label),
    );

    function paint() {
      slider.max = last;
      slider.value = at;
      slider.disabled = last === 0;
      slider.style.setProperty("--lx-done", last ? at / last : 0);
      // aria-disabled, not disabled: the button keeps the keyboard's focus.
      buttons.forEach((button, i) =>
        button.setAttribute("aria-disabled", i < 2 ? at === 0 : at === last),
      );
    }

    function go(step) {
      const to = Math.max(0, Math.min(last, step));
      if (to === at) return;
      at = to;
      paint();
      show(at);
    }

    buttons.forEach((button) =>
      button.addEventListener("click", () => go(moves[button.textContent]())),
    );
    slider.addEventListener("input", () => go(Number(slider.value)));
    paint();
    return {
      node: kit.make(
        "div",
        { class: "lx-stepper" },
        kit.make("div", { class: "lx-buttons" }, ...buttons),
        slider,
      ),
      at: () => at,
      // For a keydown listener: arrows, Home and End, unless the element
      // that has the focus needs them itself.
      key(event) {
        const taken = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
        const held = event.ctrlKey || event.metaKey || event.altKey;
        if (taken || held || !(event.key in keys)) return;
        event.preventDefault();
        go(keys[event.key]());
      },
      reset(steps, step) {
        last = steps;
        at = Math.max(0, Math.min(last, step));
        paint();
        return at;
      },
      say(text) {
        slider.setAttribute("aria-valuetext", text);
      },
    };
  },
};
