// Three optimizers in a valley: the path of one of them, computed here. The
// model holds
//   optimizer, rate, turn   what is chosen
//   valley                  what can be chosen, and the valley itself

const SVG = "http://www.w3.org/2000/svg";
const VIEW = { width: 640, height: 400, unit: 62 };

function draw(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// Along and across the floor, from the two weights, and back.
function turner(degrees) {
  const [c, s] = [Math.cos, Math.sin].map((f) => f((degrees * Math.PI) / 180));
  return {
    inside: ([x, y]) => [c * x + s * y, -s * x + c * y],
    outside: ([a, b]) => [c * a - s * b, s * a + c * b],
  };
}

// Each rule: (gradient, state, step from 1, rate) -> what is subtracted.
const RULES = {
  "gradient descent": (g, state, t, rate) => g.map((x) => rate * x),
  momentum: (g, state, t, rate) => {
    state.m = g.map((x, i) => 0.9 * (state.m?.[i] ?? 0) + x);
    return state.m.map((x) => rate * x);
  },
  AdamW: (g, state, t, rate) => {
    state.m = g.map((x, i) => 0.9 * (state.m?.[i] ?? 0) + 0.1 * x);
    state.v = g.map((x, i) => 0.95 * (state.v?.[i] ?? 0) + 0.05 * x * x);
    return state.m.map((m, i) => {
      const size = Math.sqrt(state.v[i] / (1 - 0.95 ** t)) + 1e-8;
      return (rate * m) / (1 - 0.9 ** t) / size;
    });
  },
};

// The weights before the first step and after each, and the loss at each.
function walk(valley, optimizer, rate, degrees) {
  const { inside, outside } = turner(degrees);
  const { steep, start, steps } = valley;
  const loss = (point) => {
    const [a, b] = inside(point);
    return (a * a + steep * b * b) / 2;
  };
  let point = outside(start);
  const path = [point];
  const state = {};
  for (let t = 1; t <= steps; t++) {
    const [a, b] = inside(point);
    const move = RULES[optimizer](outside([a, steep * b]), state, t, rate);
    point = point.map((x, i) => x - move[i]);
    path.push(point);
  }
  return { path, losses: path.map(loss) };
}

function short(x) {
  if (!(x < 1e5)) return "more than 100,000";
  if (x < 1e-4) return "less than 0.0001";
  return Number(x.toPrecision(2)).toLocaleString("en-US", {
    maximumFractionDigits: 5,
  });
}

// The valley from above, and the path in it.
function makeMap(valley) {
  const at = ([x, y]) => [
    VIEW.width / 2 + VIEW.unit * x,
    VIEW.height / 2 - VIEW.unit * y,
  ];
  const node = draw("svg", {
    viewBox: `0 0 ${VIEW.width} ${VIEW.height}`,
    class: "vx-map",
    role: "img",
  });

  function contours(degrees) {
    const [x, y] = at([0, 0]);
    return [0.125, 0.5, 2, 4.5, 8, 12.5, 18, 24.5].map((height) => {
      const rx = Math.sqrt(2 * height) * VIEW.unit;
      const ry = rx / Math.sqrt(valley.steep);
      const transform = `rotate(${-degrees} ${x} ${y})`;
      const place = { cx: x, cy: y, rx, ry, transform };
      return draw("ellipse", { class: "vx-contour", ...place });
    });
  }

  // Points far outside would make numbers that no browser draws.
  function inSight(point) {
    return at(point).map((x) => Math.max(-5000, Math.min(5000, x)));
  }

  function words(text, x, y, anchor) {
    return draw("text", { x, y, "text-anchor": anchor }, text);
  }

  function show(path, degrees) {
    const points = path.filter((p) => p.every(Number.isFinite)).map(inSight);
    const line = points.map((p) => p.join(",")).join(" ");
    const dots = points.map(([cx, cy]) =>
      draw("circle", { cx, cy, r: 2.6, class: "vx-dot" }),
    );
    const [sx, sy] = points[0];
    const [ex, ey] = at([0, 0]);
    const low = VIEW.height - 10;
    node.replaceChildren(
      ...contours(degrees),
      draw("polyline", { points: line, class: "vx-path" }),
      ...dots,
      draw("circle", { cx: sx, cy: sy, r: 6, class: "vx-start" }),
      draw("path", {
        d: `M${ex - 6},${ey - 6}l12,12m0,-12l-12,12`,
        class: "vx-goal",
      }),
      words("first weight \u2192", VIEW.width - 10, low, "end"),
      words("\u2191 second weight", 10, 20, "start"),
    );
  }
  return { node, show, say: (text) => node.setAttribute("aria-label", text) };
}

// What the path comes to, in words.
function describe(losses) {
  const [first, last] = [losses[0], losses.at(-1)];
  const steps = losses.length - 1;
  const end = `After ${steps} steps the loss is ${short(last)}`;
  if (!(last <= first)) return `${end}: it diverges. It began at ${short(first)}.`;
  const near = losses.findIndex((x) => x < 0.05 * first);
  const when = near < 0 ? "never" : `at step ${near}`;
  return `${end}, of ${short(first)}. Nineteen twentieths are gone: ${when}.`;
}

function render({ model, el }) {
  const valley = model.get("valley");
  const root = kit.frame(el, "Three optimizers in a valley");
  const names = ["optimizer", "rate", "turn"];
  const parts = {
    optimizer: kit.switches("Optimizer", valley.optimizers, moved),
    rate: kit.chooser("Learning rate", valley.rates, moved),
    turn: kit.chooser("Valley turned by", valley.turns, moved, "\u00b0"),
  };
  const map = makeMap(valley);
  const status = kit.make("div", { role: "status", class: "vx-status" });

  function paint() {
    const [optimizer, rate, turn] = names.map((name) => parts[name].value());
    const { path, losses } = walk(valley, optimizer, rate, turn);
    const text = describe(losses);
    map.show(path, turn);
    map.say(`The path of ${optimizer}. ${text}`);
    status.textContent = text;
  }
  function read() {
    names.forEach((name) => parts[name].set(model.get(name)));
    paint();
  }
  const shared = kit.share(model, names, read);
  function moved() {
    paint();
    const now = names.map((name) => [name, parts[name].value()]);
    shared.tell(Object.fromEntries(now));
  }
  const sliders = kit.make("div", { class: "lx-sliders" });
  sliders.append(parts.rate.node, parts.turn.node);
  root.append(parts.optimizer.node, sliders, status, map.node);
  read();
  return () => shared.stop();
}

export default { render };
