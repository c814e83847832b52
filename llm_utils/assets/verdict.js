// Can a test tell two models apart? Chapter 12 derives every formula here.
// The model holds
//   setting   n (items), better, worse (accuracies), shared (errors in common)

// The normal distribution's share below z (Abramowitz and Stegun, 7.1.26).
function below(z) {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t -
    0.284496736) * t + 0.254829592) * t;
  const upper = 0.5 * sum * Math.exp(-x * x);
  return z < 0 ? upper : 1 - upper;
}
const REACH = 1.959964; // standard errors of a 95 % interval
const FOUND = 0.841621; // more of them, for four findings in five

const percent = (x) => `${(100 * x).toFixed(x > 0.9995 ? 0 : 1)} %`;
const points = (x) => `${(100 * x).toFixed(1)} points`;
const count = (x) => Math.ceil(x).toLocaleString("en-US");

// name in `setting`, its label, the values its slider stops at, how one reads
const DIALS = [
  ["n", "Items", [10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500,
    2000, 3000, 5000, 10000, 20000], count],
  ["better", "Better model",
    Array.from({ length: 100 }, (_, i) => (i + 1) / 100), percent],
  ["worse", "Other model",
    Array.from({ length: 100 }, (_, i) => (i + 1) / 100), percent],
  ["shared", "Errors in common",
    Array.from({ length: 21 }, (_, i) => i / 20), percent],
];

function account({ n, better, worse, shared }) {
  const gain = Math.abs(better - worse);
  const both = (1 - shared) * (1 - better) * (1 - worse) +
    shared * Math.min(1 - better, 1 - worse);
  const differ = 2 - better - worse - 2 * both;
  const paired = Math.sqrt(Math.max(0, differ - gain ** 2));
  const apart = Math.sqrt(better * (1 - better) + worse * (1 - worse));
  const found = (spread) => {
    if (spread < 1e-9) return gain > 1e-9 ? 1 : 0;
    const z = (gain * Math.sqrt(n)) / spread;
    return below(z - REACH) + below(-z - REACH);
  };
  const root = Math.sqrt(n);
  return {
    errors: [
      ["Better model", Math.sqrt(better * (1 - better)) / root],
      ["Other model", Math.sqrt(worse * (1 - worse)) / root],
      ["Difference, two tests", apart / root],
      ["Difference, one test", paired / root],
    ],
    power: [
      ["Two tests", found(apart)],
      ["One test for both", found(paired)],
      ["Wanted", 0.8],
    ],
    gain,
    needed: gain > 1e-9
      ? Math.max(2, (((REACH + FOUND) * paired) / gain) ** 2) : Infinity,
  };
}

function render({ model, el }) {
  const root = kit.frame(el, "Can this test tell two models apart?");
  const { setting, turn, stop } = kit.setting(model, paint);
  const dials = DIALS.map((dial) => kit.dial(dial, turn));
  const total = kit.make("div", { role: "status", class: "lx-total" });
  const names = (pairs) => pairs.map(([x]) => x);
  const start = account(setting);
  const errors = kit.bars("Standard errors", names(start.errors), points);
  const power = kit.bars("How often the difference is found", names(start.power),
    percent);

  function paint() {
    DIALS.forEach(([name], i) => dials[i].show(setting[name]));
    const now = account(setting);
    const needed = now.needed === Infinity
      ? "no number of items shows a difference of nothing"
      : `${count(now.needed)} items find it four times in five`;
    total.textContent = `A difference of ${points(now.gain)}: ${needed}`;
    total.dataset.needed = now.needed;
    errors.show(now.errors, "");
    power.show(now.power, "");
  }
  root.append(
    kit.make("div", { class: "lx-dials" }, ...dials.map(({ node }) => node)),
    total, errors.node, power.node,
  );
  paint();
  return stop;
}

export default { render };
