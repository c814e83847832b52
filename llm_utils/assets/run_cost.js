// What a run costs: parameters, tokens and devices, and what follows from
// them. Chapter 9 derives every formula here. The model holds
//   setting   n_params, n_tokens, devices, stage (of ZeRO, 0 to 3), mfu, price
//   law       E, A, a, B, b: loss = E + A / N^a + B / D^b
//   peak      FLOP/s of one device;  capacity  its bytes

const BYTES = { weights: 2, gradients: 2, optimizer: 12 }; // mixed precision
const powers = (low, high, per) =>
  Array.from({ length: (high - low) * per + 1 }, (_, i) => 10 ** (low + i / per));

// Three digits and a unit: 124000000 as "124 M".
function short(x, units) {
  let i = 0;
  while (x >= 999.5 && i < units.length - 1) {
    x /= 1000;
    i++;
  }
  const digits = x >= 99.95 || (i === 0 && x >= 9.95) ? 0 : x >= 9.995 ? 1 : 2;
  return `${x.toFixed(digits)} ${units[i]}`.trim();
}
const COUNT = ["", "K", "M", "B", "T", "Q"];
const SIZE = ["B", "kB", "MB", "GB", "TB", "PB"];
const FLOP = ["", "K", "M", "G", "T", "P", "E", "Z", "Y", "R"];
const dollars = (x) => (x < 1 ? `$${x.toFixed(2)}` : `$${short(x, COUNT)}`);

function time(hours) {
  if (hours < 1) return `${(60 * hours).toFixed(1)} minutes`;
  if (hours < 48) return `${hours.toFixed(1)} hours`;
  return hours < 17520 ? `${(hours / 24).toFixed(1)} days`
    : `${(hours / 8760).toFixed(1)} years`;
}

// name in `setting`, its label, the values its slider stops at, how one reads
const DIALS = [
  ["n_params", "Parameters", powers(7, 12, 8), (x) => short(x, COUNT)],
  ["n_tokens", "Tokens", powers(8, 14, 8), (x) => short(x, COUNT)],
  ["devices", "Devices", Array.from({ length: 15 }, (_, i) => 2 ** i),
    (x) => x.toLocaleString("en-US")],
  ["stage", "ZeRO stage", [0, 1, 2, 3], String],
  ["mfu", "Utilization", Array.from({ length: 19 }, (_, i) => (i + 1) / 20),
    (x) => `${Math.round(100 * x)} %`],
  ["price", "Dollars a device hour",
    Array.from({ length: 40 }, (_, i) => (i + 1) / 4), (x) => `$${x.toFixed(2)}`],
];

function account(s, law, peak) {
  const work = 6 * s.n_params * s.n_tokens;
  const hours = work / (s.mfu * peak) / 3600;
  const cut = (from) => (s.stage >= from ? s.devices : 1);
  return {
    work,
    hours,
    memory: [
      ["Weights", (BYTES.weights * s.n_params) / cut(3)],
      ["Gradients", (BYTES.gradients * s.n_params) / cut(2)],
      ["Optimizer", (BYTES.optimizer * s.n_params) / cut(1)],
    ],
    loss: [
      ["Entropy of the text", law.E],
      ["Too few parameters", law.A / s.n_params ** law.a],
      ["Too few tokens", law.B / s.n_tokens ** law.b],
    ],
  };
}

function render({ model, el }) {
  const root = kit.frame(el, "What a training run costs");
  const [law, peak, capacity] = ["law", "peak", "capacity"].map((x) => model.get(x));
  const { setting, turn, stop } = kit.setting(model, paint);
  const dials = DIALS.map((dial) => kit.dial(dial, turn));
  const total = kit.make("div", { role: "status", class: "lx-total" });
  const start = account(setting, law, peak);
  const names = (pairs) => pairs.map(([x]) => x);
  const memory = kit.bars("Memory of a device", names(start.memory),
    (x) => short(x, SIZE));
  const loss = kit.bars("Loss to expect, nats a token", names(start.loss),
    (x) => x.toFixed(3));

  function paint() {
    DIALS.forEach(([name], i) => dials[i].show(setting[name]));
    const now = account(setting, law, peak);
    const sum = (pairs) => pairs.reduce((n, [, x]) => n + x, 0);
    const ratio = setting.n_tokens / setting.n_params;
    total.textContent = `${short(now.work, FLOP)}FLOP, ` +
      `${time(now.hours / setting.devices)} on ${setting.devices.toLocaleString("en-US")} ` +
      `device${setting.devices > 1 ? "s" : ""}, ${dollars(now.hours * setting.price)}; ` +
      `${ratio.toPrecision(3)} tokens a parameter`;
    total.dataset.work = now.work;
    total.dataset.hours = now.hours;
    const bytes = sum(now.memory);
    memory.show(now.memory, `${short(bytes, SIZE)} and the activations, ` +
      (bytes < capacity ? "fits" : `more than ${short(capacity, SIZE)}`));
    loss.show(now.loss, sum(now.loss).toFixed(3));
  }
  root.append(
    kit.make("div", { class: "lx-dials" }, ...dials.map(({ node }) => node)),
    total, memory.node, loss.node,
  );
  paint();
  return stop;
}

export default { render };
