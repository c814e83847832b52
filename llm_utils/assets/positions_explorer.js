// RoPE explorer: a query at position m and a key at position n. Chapter 4
// derives the rule; this is Rotary, one pair at a time. The model holds
//   q, k      what is turned, D numbers each; pair i is (i, i + D/2)
//   m, n      their positions, 0 to last
//   pair      which pair the plane shows
//   base      the fastest pair turns 1 radian a position, pair i base^(-2i/D)
//   last      the greatest position

const SVG = "http://www.w3.org/2000/svg";
const BASES = [10, 100, 1000, 10000, 100000, 500000, 1000000];

function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const minus = (x, digits) => {
  const text = x.toFixed(digits);
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text.replace("-", "\u2212");
};

// Radians per position of pair i.
const speed = ({ q, base }, i) => base ** ((-2 * i) / q.length);

// Pair i of a vector as [length, angle].
function polar(x, i) {
  const [a, b] = [x[i], x[i + x.length / 2]];
  return [Math.hypot(a, b), Math.atan2(b, a)];
}

// q at distance d from k: the sum over pairs of |q| |k| cos(angle between).
function score(state, d) {
  let sum = 0;
  for (let i = 0; i < state.q.length / 2; i++) {
    const [q, angleQ] = polar(state.q, i);
    const [k, angleK] = polar(state.k, i);
    sum += q * k * Math.cos(angleQ - angleK + d * speed(state, i));
  }
  return sum;
}

// A slider with its name and value; `changed` hears the reader only.
function makeDial(name, min, max, form, changed) {
  const value = kit.make("b", {}, "");
  const input = kit.make("input", {
    type: "range",
    class: "lx-slider",
    "aria-label": name,
    min,
    max,
    step: 1,
  });
  const head = kit.make("span", { class: "px-dial-head" }, `${name} `, value);
  const node = kit.make("label", { class: "px-dial" }, head, input);
  input.addEventListener("input", () => changed(Number(input.value)));
  function show(x) {
    input.value = x;
    value.textContent = form(x);
    input.setAttribute("aria-valuetext", form(x));
  }
  return { node, show };
}

// The plane of one pair: both vectors, turned by their positions.
function makePlane() {
  const arrow = (kind) => [
    draw("line", { x1: 0, y1: 0, class: `px-${kind}` }),
    draw("circle", { r: 5, class: `px-${kind}-tip` }),
    draw("text", { class: "px-name" }, kind === "query" ? "q" : "k"),
  ];
  const arrows = [arrow("query"), arrow("key")];
  const arc = draw("path", { class: "px-arc" });
  const axes = [
    draw("circle", { r: 84, class: "px-rule" }),
    draw("line", { x1: -96, y1: 0, x2: 96, y2: 0, class: "px-rule" }),
    draw("line", { x1: 0, y1: -96, x2: 0, y2: 96, class: "px-rule" }),
  ];
  const node = draw(
    "svg",
    { viewBox: "-110 -110 220 220", class: "px-plane", role: "img" },
    ...axes,
    arc,
    ...arrows.flat(),
  );
  function show(state) {
    const turns = [];
    const sizes = [state.q, state.k].map((x) => polar(x, state.pair)[0]);
    const unit = 84 / Math.max(...sizes, 1e-9);
    [state.q, state.k].forEach((x, j) => {
      const [size, turn] = polar(x, state.pair);
      const position = j === 0 ? state.m : state.n;
      const at = turn + position * speed(state, state.pair);
      turns.push(at);
      const [u, v] = [Math.cos(at), -Math.sin(at)];
      const [line, tip, name] = arrows[j];
      line.setAttribute("x2", size * unit * u);
      line.setAttribute("y2", size * unit * v);
      tip.setAttribute("cx", size * unit * u);
      tip.setAttribute("cy", size * unit * v);
      const far = size * unit + 15;
      name.setAttribute("x", far * u);
      name.setAttribute("y", far * v + 4);
    });
    let between = (turns[0] - turns[1]) % (2 * Math.PI);
    if (between > Math.PI) between -= 2 * Math.PI;
    if (between < -Math.PI) between += 2 * Math.PI;
    const point = (at) => `${30 * Math.cos(at)} ${-30 * Math.sin(at)}`;
    const sweep = between > 0 ? 0 : 1;
    const end = turns[1] + between;
    const path = `M ${point(turns[1])} A 30 30 0 0 ${sweep} ${point(end)}`;
    arc.setAttribute("d", path);
    const degrees = (between * 180) / Math.PI;
    const text = `Pair ${state.pair}: from k to q ${minus(degrees, 0)} degrees`;
    node.setAttribute("aria-label", text);
    return degrees;
  }
  return { node, show };
}

// The score of the whole head against the distance, with today's marked.
function makeChart() {
  const [W, H, left, base] = [340, 220, 34, 186];
  const curve = draw("path", { class: "px-curve" });
  const zero = draw("line", { x1: left, x2: W - 8, class: "px-rule" });
  const here = draw("circle", { r: 5, class: "px-here" });
  const drop = draw("line", { class: "px-drop" });
  const ticks = draw("g");
  const label = (x, y, text, at = "middle") =>
    draw("text", { x, y, "text-anchor": at, class: "px-tick" }, text);
  const node = draw(
    "svg",
    { viewBox: `0 0 ${W} ${H}`, class: "px-chart", role: "img" },
    zero,
    curve,
    drop,
    here,
    ticks,
    label(left, 12, "score", "start"),
    label((left + W) / 2, H - 4, "distance m \u2212 n"),
  );
  function show(state) {
    const { last } = state;
    let top = 0;
    for (let i = 0; i < state.q.length / 2; i++) {
      top += polar(state.q, i)[0] * polar(state.k, i)[0];
    }
    top = top || 1;
    const x = (d) => left + ((d + last) / (2 * last)) * (W - left - 12);
    const y = (s) => base / 2 + 10 - (s / top) * (base / 2 - 10);
    const points = [];
    for (let d = -last; d <= last; d += 0.5) {
      points.push(`${x(d).toFixed(1)} ${y(score(state, d)).toFixed(1)}`);
    }
    curve.setAttribute("d", `M ${points.join(" L ")}`);
    zero.setAttribute("y1", y(0));
    zero.setAttribute("y2", y(0));
    const now = state.m - state.n;
    const at = [x(now), y(score(state, now))];
    here.setAttribute("cx", at[0]);
    here.setAttribute("cy", at[1]);
    const ends = { x1: at[0], x2: at[0], y1: at[1], y2: base };
    for (const name in ends) drop.setAttribute(name, ends[name]);
    const marks = [-last, 0, last].map((d) =>
      label(x(d), base + 16, minus(d, 0)),
    );
    marks.push(label(left - 6, y(0) + 4, "0", "end"));
    ticks.replaceChildren(...marks);
    const value = minus(score(state, now), 2);
    node.setAttribute("aria-label", `Score ${value} at distance ${now}`);
  }
  return { node, show };
}

const NAMES = ["q", "k", "m", "n", "pair", "base", "last"];

function render({ model, el }) {
  const state = {};
  const read = () => NAMES.forEach((name) => (state[name] = model.get(name)));
  read();
  const root = kit.frame(el, "Rotary positions");
  root.classList.add("px-body");
  const go = (values) => {
    Object.assign(state, values);
    paint();
    shared.tell(values);
  };
  const pairs = state.q.length / 2 - 1;
  const bases = [...new Set([...BASES, state.base])].sort((a, b) => a - b);
  const count = (x) => String(x);
  const big = (i) => bases[i].toLocaleString("en-US");
  const dials = {
    m: makeDial("Query position m", 0, state.last, count, (m) => go({ m })),
    n: makeDial("Key position n", 0, state.last, count, (n) => go({ n })),
    pair: makeDial("Pair", 0, pairs, count, (pair) => go({ pair })),
    base: makeDial("Base", 0, bases.length - 1, big, (i) =>
      go({ base: bases[i] }),
    ),
  };
  function move(step) {
    const [m, n] = [state.m + step, state.n + step];
    if (Math.min(m, n) < 0 || Math.max(m, n) > state.last) return;
    go({ m, n });
  }
  const button = (text, step) => {
    const node = kit.make("button", { type: "button", class: "lx-button" });
    node.append(text);
    node.addEventListener("click", () => move(step));
    return node;
  };
  const back = button("Both back", -1);
  const on = button("Both on", 1);
  const [scoreNode, scoreValue] = kit.figure("score");
  const [apartNode, apart] = kit.figure("positions apart");
  const [angleNode, angle] = kit.figure("degrees from k to q in this pair");
  const pace = kit.make("span", { class: "px-pace" });
  const figures = kit.make(
    "span",
    { class: "lx-figures" },
    scoreNode,
    apartNode,
    angleNode,
  );
  const say = { role: "status", class: "lx-status" };
  const status = kit.make("div", say, figures, pace);
  const plane = makePlane();
  const chart = makeChart();

  function paint() {
    for (const name of ["m", "n", "pair"]) dials[name].show(state[name]);
    dials.base.show(bases.indexOf(state.base));
    const degrees = plane.show(state);
    chart.show(state);
    scoreValue.textContent = minus(score(state, state.m - state.n), 3);
    apart.textContent = minus(state.m - state.n, 0);
    angle.textContent = minus(degrees, 0);
    const omega = speed(state, state.pair);
    const each = ((omega * 180) / Math.PI).toPrecision(3);
    const turn = (2 * Math.PI) / omega;
    const length = turn < 100 ? turn.toFixed(1) : Math.round(turn);
    pace.textContent =
      `Pair ${state.pair} turns ${Number(each)} degrees a position, once ` +
      `around in ${length.toLocaleString("en-US")} positions.`;
    const low = Math.min(state.m, state.n) === 0;
    const high = Math.max(state.m, state.n) === state.last;
    back.setAttribute("aria-disabled", low);
    on.setAttribute("aria-disabled", high);
  }
  const shared = kit.share(model, NAMES, () => {
    read();
    if (!bases.includes(state.base)) {
      bases.push(state.base);
      bases.sort((a, b) => a - b);
      dials.base.node.querySelector("input").max = bases.length - 1;
    }
    paint();
  });
  root.append(
    kit.make(
      "div",
      { class: "px-dials" },
      dials.m.node,
      dials.n.node,
      dials.pair.node,
      dials.base.node,
    ),
    kit.make("div", { class: "lx-buttons" }, back, on),
    kit.make("div", { class: "px-views" }, plane.node, chart.node),
    status,
  );
  paint();
  return () => shared.stop();
}

export default { render };
