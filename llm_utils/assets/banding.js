// Bands of hashes: how probably a pair of documents shares a band, for each
// Jaccard index, and what that means for pairs that were measured. Chapter 7
// derives the formula. The model holds
//   bands, rows     what is chosen
//   copies, others  "0.93:2 0.95:1": pairs by their index, two decimals

const SVG = "http://www.w3.org/2000/svg";
const MOST = { bands: 40, rows: 16 };
const BOX = { width: 640, height: 300, left: 52, right: 16, top: 14, low: 44 };
const RIGHT = BOX.width - BOX.right;
const BOTTOM = BOX.height - BOX.low;
const BINS = 50;

const X = (s) => BOX.left + s * (RIGHT - BOX.left);
const Y = (p) => BOTTOM - p * (BOTTOM - BOX.top);

function draw(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const read = (text) =>
  text.split(" ").map((pair) => pair.split(":").map(Number));
const chance = (s, bands, rows) => 1 - (1 - s ** rows) ** bands;

// How many pairs there are, and how many of them share a band on average.
function expected(pairs, bands, rows) {
  const sum = (f) => pairs.reduce((n, pair) => n + f(pair), 0);
  return {
    all: sum(([, n]) => n),
    found: sum(([s, n]) => n * chance(s, bands, rows)),
  };
}

const whole = (x) => x.toLocaleString("en-US");
const parts = (x) => (x < 99.95 ? x.toFixed(1) : whole(Math.round(x)));

// Where the pairs lie, each kind scaled to its own highest bar.
function bars(pairs, kind) {
  const counts = Array(BINS).fill(0);
  for (const [s, n] of pairs) {
    counts[Math.min(BINS - 1, Math.floor(s * BINS + 1e-9))] += n;
  }
  const most = Math.max(...counts);
  return counts.flatMap((n, i) => {
    if (!n) return [];
    const high = Math.max(2, 0.55 * (BOTTOM - BOX.top) * (n / most));
    const place = { x: X(i / BINS) + 0.5, y: BOTTOM - high };
    const size = { width: X(1 / BINS) - X(0) - 1, height: high };
    return [draw("rect", { class: `bx-${kind}`, ...place, ...size })];
  });
}

function frame() {
  const found = [];
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    const up = { x1: BOX.left, x2: RIGHT, y1: Y(tick), y2: Y(tick) };
    const left = { x: BOX.left - 8, y: Y(tick) + 4, "text-anchor": "end" };
    const under = { x: X(tick), y: BOTTOM + 18, "text-anchor": "middle" };
    found.push(
      draw("line", { class: "bx-rule", ...up }),
      draw("text", left, `${100 * tick}%`),
      draw("text", under, String(tick)),
    );
  }
  const middle = { x: (BOX.left + RIGHT) / 2, y: BOX.height - 6 };
  const words = "Jaccard index of a pair; the line: how often it is found";
  found.push(draw("text", { "text-anchor": "middle", ...middle }, words));
  return found;
}

function makeChart(copies, others) {
  const curve = draw("polyline", { class: "bx-line" });
  const node = draw(
    "svg",
    { viewBox: `0 0 ${BOX.width} ${BOX.height}`, class: "bx-chart",
      role: "img" },
    ...frame(), ...bars(others, "others"), ...bars(copies, "copies"), curve,
  );
  function show(bands, rows, text) {
    const points = Array.from({ length: 101 }, (_, i) => {
      const s = i / 100;
      return `${X(s).toFixed(1)},${Y(chance(s, bands, rows)).toFixed(1)}`;
    });
    curve.setAttribute("points", points.join(" "));
    node.setAttribute("aria-label", text);
  }
  return { node, show };
}

function makeSlider(name, label, change) {
  const value = kit.make("span", { class: "lx-note" });
  const input = kit.make("input", {
    type: "range", min: 1, max: MOST[name], class: "lx-slider",
    "aria-label": label,
  });
  const head = kit.make("span", { class: "lx-head" }, label, value);
  input.addEventListener("input", () => change(name, Number(input.value)));
  return {
    node: kit.make("label", { class: "lx-label bx-choice" }, head, input),
    set(now) {
      input.value = now;
      value.textContent = String(now);
    },
  };
}

function render({ model, el }) {
  const root = kit.frame(el, "Bands of hashes");
  const copies = read(model.get("copies"));
  const others = read(model.get("others"));
  const names = ["bands", "rows"];
  const now = {};
  const sliders = {
    bands: makeSlider("bands", "Bands", turn),
    rows: makeSlider("rows", "Hashes in a band", turn),
  };
  const chart = makeChart(copies, others);
  const status = kit.make("div", { role: "status", class: "bx-status" });

  function paint() {
    const { bands, rows } = now;
    const right = expected(copies, bands, rows);
    const wrong = expected(others, bands, rows);
    const half = (1 / bands) ** (1 / rows);
    names.forEach((name) => sliders[name].set(now[name]));
    status.textContent =
      `${whole(bands * rows)} hashes a document, steepest near ` +
      `${half.toFixed(2)}. Of ${whole(right.all)} copies ` +
      `${parts(right.found)} are found; of ${whole(wrong.all)} other pairs ` +
      `${parts(wrong.found)} are compared in vain.`;
    chart.show(bands, rows, status.textContent);
  }
  function turn(name, value) {
    now[name] = value;
    paint();
    shared.tell({ [name]: value });
  }
  function listen() {
    names.forEach((name) => (now[name] = model.get(name)));
    paint();
  }
  const shared = kit.share(model, names, listen);
  const dials = kit.make("div", { class: "bx-sliders" });
  dials.append(sliders.bands.node, sliders.rows.node);
  root.append(dials, status, chart.node);
  listen();
  return () => shared.stop();
}

export default { render };
