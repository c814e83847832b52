// What does a group of answers, right or wrong, teach? Chapter 16 derives it.
// The model holds
//   setting   p (chance of a right answer), G (answers), scale (1: divide by
//             the deviation of the group, 0: do not)

const MOST = 8;
const DIALS = [
  ["p", "Chance that an answer is right",
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98,
      0.99], (x) => x.toFixed(2)],
  ["G", "Answers in a group", [2, 3, 4, 5, 6, 7, 8], String],
  ["scale", "Divide by the deviation", [0, 1], (x) => (x ? "yes" : "no")],
];
const share = (x) => `${(100 * x).toFixed(1)} %`;

function lesson({ p, G, scale }) {
  const chances = Array(MOST + 1).fill(0);
  const gains = Array(MOST + 1).fill(0);
  let ways = 1;
  for (let k = 0; k <= G; k++) {
    chances[k] = ways * p ** k * (1 - p) ** (G - k);
    ways = (ways * (G - k)) / (k + 1);
    const mean = k / G;
    const deviation = Math.sqrt((G * mean * (1 - mean)) / (G - 1));
    if (k) gains[k] = (1 - mean) / (scale ? deviation + 1e-4 : 1);
  }
  const silent = chances[0] + chances[G];
  const pull = chances.reduce((sum, c, k) => sum + (c * gains[k] * k) / G, 0);
  return { chances, gains, silent, pull };
}

function render({ model, el }) {
  const root = kit.frame(el, "What does a group of answers teach?");
  const { setting, turn, stop } = kit.setting(model, paint);
  const dials = DIALS.map((dial) => kit.dial(dial, turn));
  const total = kit.make("div", { role: "status", class: "lx-total" });
  const names = Array.from({ length: MOST + 1 }, (_, k) => `${k} right`);
  const chances = kit.bars("How many are right", names, share);
  const gains = kit.bars("Advantage of each right answer, then", names,
    (x) => x.toFixed(2));
  const pairs = (values) => values.map((x, k) => [names[k], x]);

  function paint() {
    DIALS.forEach(([name], i) => dials[i].show(setting[name]));
    const now = lesson(setting);
    total.textContent =
      `The group is silent with a chance of ${share(now.silent)}; right ` +
      `answers are pulled up with ${now.pull.toFixed(3)} on average.`;
    for (const key of ["silent", "pull"]) total.dataset[key] = now[key];
    chances.show(pairs(now.chances), "");
    gains.show(pairs(now.gains), "");
  }
  root.append(
    kit.make("div", { class: "lx-dials" }, ...dials.map(({ node }) => node)),
    total, chances.node, gains.node,
  );
  paint();
  return stop;
}

export default { render };
