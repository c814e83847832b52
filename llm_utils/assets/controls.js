// Controls that several explorers have: sliders over a list, switches, bars.
// Part of what `explorer.js` calls the kit.

// A slider over a list, with its value behind its name.
kit.chooser = (name, values, show, unit = "") => {
  const number = kit.make("span", { class: "lx-note" });
  const input = kit.make("input", {
    type: "range",
    min: 0,
    max: values.length - 1,
    class: "lx-slider",
    "aria-label": name,
  });
  const head = kit.make("span", { class: "lx-head" }, name, number);
  const node = kit.make("label", { class: "lx-label lx-choice" }, head, input);
  function paint() {
    const text = values[Number(input.value)] + unit;
    number.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }
  input.addEventListener("input", () => {
    paint();
    show();
  });
  return {
    node,
    value: () => values[Number(input.value)],
    set(value) {
      input.value = Math.max(0, values.indexOf(value));
      paint();
    },
  };
};

// A slider over values that are shown in a form of their own; a value that is
// not among them gets a stop of its own as long as it is set.
kit.dial = ([name, label, values, form], change) => {
  const value = kit.make("span", { class: "lx-note" });
  const head = kit.make("span", { class: "lx-head" }, label, value);
  const slider = kit.make("input", {
    type: "range", min: 0, step: 1, class: "lx-slider", "aria-label": label,
  });
  let stops = values;
  slider.addEventListener("input", () => change(name, stops[Number(slider.value)]));
  return {
    node: kit.make("div", { class: "lx-dial" }, head, slider),
    show(now, among = values) {
      stops = [...new Set([...among, now])].sort((a, b) => a - b);
      slider.max = stops.length - 1;
      slider.value = stops.indexOf(now);
      slider.disabled = stops.length === 1;
      value.textContent = form(now);
      slider.setAttribute("aria-valuetext", form(now));
    },
  };
};

// What dials turn: the values by name, kept with the page's other views.
kit.setting = (model, paint) => {
  const setting = { ...model.get("setting") };
  const shared = kit.share(model, ["setting"], () => {
    Object.assign(setting, model.get("setting"));
    paint();
  });
  function turn(name, value) {
    setting[name] = value;
    paint();
    shared.tell({ setting: { ...setting } });
  }
  return { setting, turn, stop: () => shared.stop() };
};

// One button for each name; the pressed one is chosen.
kit.switches = (title, names, show) => {
  let at = names[0];
  const buttons = names.map((name) =>
    kit.make("button", { type: "button", class: "lx-button" }, name),
  );
  function set(name) {
    at = name;
    buttons.forEach((b) =>
      b.setAttribute("aria-pressed", b.textContent === at),
    );
  }
  buttons.forEach((b) =>
    b.addEventListener("click", () => {
      set(b.textContent);
      show();
    }),
  );
  const label = { class: "lx-buttons lx-switches", role: "group" };
  label["aria-label"] = title;
  return { node: kit.make("div", label, ...buttons), value: () => at, set };
};

// A group of bars, each as long as its share of the longest.
kit.bars = (title, names, form) => {
  const head = kit.make("span", { class: "lx-note" });
  const rows = names.map((name) => {
    const bar = kit.make("span", { class: "lx-bar" });
    const value = kit.make("span", { class: "lx-value" });
    const track = kit.make("span", { class: "lx-track" }, bar);
    const label = kit.make("span", { class: "lx-name" }, name);
    const row = kit.make("li", { class: "lx-row" }, label, track, value);
    return { row, bar, value };
  });
  const list = kit.make("ul", { class: "lx-bars", role: "list" },
    ...rows.map(({ row }) => row));
  const top = kit.make("span", { class: "lx-head" }, title, head);
  function show(pairs, note) {
    const most = Math.max(...pairs.map(([, x]) => x));
    pairs.forEach(([, x], i) => {
      rows[i].bar.style.width = `${(100 * x) / most}%`;
      rows[i].value.textContent = form(x);
      rows[i].row.dataset.value = x;
    });
    head.textContent = note;
  }
  return { node: kit.make("div", { class: "lx-group" }, top, list), show };
};

