// Signal explorer: how large the residual stream and its gradient are, block
// by block, for one wiring, depth and gain. Chapter 5 measures them; nothing
// is computed here. The model holds
//   wirings, depths, gains   what can be chosen
//   wiring, depth, gain      what is chosen
//   logs  "sizes|gradients;..." for every wiring, depth and gain, in this
//         order; each "0.00 0.31 ...": base 10, before block 1, after each

const SVG = "http://www.w3.org/2000/svg";
const BOX = { width: 640, height: 300, left: 58, right: 112, top: 14, low: 46 };

function draw(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// "wiring depth gain" -> { sizes, gradients }, as logarithms.
function readRuns(model) {
  const runs = new Map();
  const stored = model.get("logs").split(";");
  for (const wiring of model.get("wirings")) {
    for (const depth of model.get("depths")) {
      for (const gain of model.get("gains")) {
        const [sizes, gradients] = stored
          .shift()
          .split("|")
          .map((line) => line.split(" ").map(Number));
        runs.set(`${wiring} ${depth} ${gain}`, { sizes, gradients });
      }
    }
  }
  return runs;
}

// 0.0312, 7.2, 1,250: three digits at most, without an exponent where short.
function short(log) {
  const x = 10 ** log;
  if (x >= 99999 || x < 0.0009) return x.toExponential(0);
  return Number(x.toPrecision(2)).toLocaleString("en-US", {
    maximumFractionDigits: 5,
  });
}

// Both lines over the blocks; the scale is that of all runs, so that two
// choices can be compared by eye.
function makeChart(runs) {
  const all = [...runs.values()].flatMap((r) => [...r.sizes, ...r.gradients]);
  const low = Math.floor(Math.min(...all));
  const high = Math.ceil(Math.max(...all));
  const right = BOX.width - BOX.right;
  const bottom = BOX.height - BOX.low;
  const y = (log) => bottom - ((log - low) / (high - low)) * (bottom - BOX.top);
  const node = draw("svg", {
    viewBox: `0 0 ${BOX.width} ${BOX.height}`,
    class: "sx-chart",
    role: "img",
  });

  function frame(depth, x) {
    const parts = [];
    const every = high - low > 8 ? 2 : 1;
    for (let tick = low; tick <= high; tick += every) {
      const at = { y: y(tick) + 4, x: BOX.left - 8, "text-anchor": "end" };
      const line = { x1: BOX.left, x2: right, y1: y(tick), y2: y(tick) };
      const power = draw("tspan", { dy: -5, "font-size": 10 }, String(tick));
      parts.push(draw("line", { class: "sx-rule", ...line }));
      parts.push(draw("text", at, "10", power));
    }
    const step = depth > 24 ? 8 : depth > 8 ? 4 : 1;
    for (let block = 0; block <= depth; block += step) {
      const at = { x: x(block), y: bottom + 18, "text-anchor": "middle" };
      parts.push(draw("text", at, String(block)));
    }
    const middle = { x: (BOX.left + right) / 2, y: BOX.height - 6 };
    const words = "blocks that the signal has passed";
    parts.push(draw("text", { "text-anchor": "middle", ...middle }, words));
    return parts;
  }

  function line(logs, x, kind) {
    const points = logs.map((log, i) => `${x(i)},${y(log)}`).join(" ");
    return draw("polyline", { points, class: `sx-line sx-${kind}` });
  }

  // Names at the right end, moved apart where the lines end close together.
  function names({ sizes, gradients }) {
    let [a, b] = [y(sizes.at(-1)), y(gradients.at(-1))];
    const apart = 17 - Math.abs(a - b);
    if (apart > 0) {
      const sign = a <= b ? -1 : 1;
      a += (sign * apart) / 2;
      b -= (sign * apart) / 2;
    }
    return [
      draw("text", { x: right + 8, y: a + 4, class: "sx-size" }, "activations"),
      draw("text", { x: right + 8, y: b + 4, class: "sx-grad" }, "gradients"),
    ];
  }

  function show(run) {
    const depth = run.sizes.length - 1;
    const x = (i) => BOX.left + (i / depth) * (right - BOX.left);
    node.replaceChildren(
      ...frame(depth, x),
      line(run.sizes, x, "size"),
      line(run.gradients, x, "grad"),
      ...names(run),
    );
  }
  return { node, show, say: (text) => node.setAttribute("aria-label", text) };
}

// What the two lines say, in words.
function describe({ sizes, gradients }) {
  const ratio = gradients[0] - gradients.at(-1);
  return (
    `Activations go from ${short(sizes[0])} to ${short(sizes.at(-1))}; ` +
    `the gradient at the bottom is ${short(ratio)} times that at the top.`
  );
}

function render({ model, el }) {
  const runs = readRuns(model);
  const root = kit.frame(el, "Signal explorer");
  const names = ["wiring", "depth", "gain"];
  const parts = {
    wiring: kit.switches("Wiring", model.get("wirings"), moved),
    depth: kit.chooser("Blocks", model.get("depths"), moved),
    gain: kit.chooser("Gain of the initial weights", model.get("gains"), moved),
  };
  const chart = makeChart(runs);
  const status = kit.make("div", { role: "status", class: "sx-status" });

  function paint() {
    const key = names.map((name) => parts[name].value()).join(" ");
    const run = runs.get(key);
    const text = describe(run);
    chart.show(run);
    chart.say(text);
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
  sliders.append(parts.depth.node, parts.gain.node);
  root.append(parts.wiring.node, sliders, status, chart.node);
  read();
  return () => shared.stop();
}

export default { render };
