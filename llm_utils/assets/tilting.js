// How far does the best policy go from its reference? Chapter 15 derives it.
// The model holds
//   setting   beta, habit (what the judge gives for a sentence, true or not)
//   replies   [{name, nats (log p by the reference), points, length}]

const DIALS = [
  ["beta", "beta, the price of leaving the reference",
    [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10], String],
  ["habit", "What the judge gives for each sentence",
    Array.from({ length: 13 }, (_, i) => i / 4), (x) => x.toFixed(2)],
];
const share = (x) => `${(100 * x).toFixed(1)} %`;

function softmax(logs) {
  const top = Math.max(...logs);
  const all = logs.map((x) => Math.exp(x - top));
  const sum = all.reduce((a, b) => a + b, 0);
  return all.map((x) => x / sum);
}

function account({ beta, habit }, replies) {
  const ref = softmax(replies.map(({ nats }) => nats));
  const reward = replies.map((x) => x.points + habit * x.length);
  const policy = softmax(ref.map((p, i) => Math.log(p) + reward[i] / beta));
  const mean = (f) => policy.reduce((sum, p, i) => sum + (p ? p * f(i) : 0), 0);
  return {
    ref, policy,
    reward: mean((i) => reward[i]),
    points: mean((i) => replies[i].points),
    kl: mean((i) => Math.log(policy[i] / ref[i])),
  };
}

function render({ model, el }) {
  const root = kit.frame(el, "How far does the best policy go?");
  const replies = model.get("replies");
  const { setting, turn, stop } = kit.setting(model, paint);
  const dials = DIALS.map((dial) => kit.dial(dial, turn));
  const total = kit.make("div", { role: "status", class: "lx-total" });
  const names = replies.map(({ name }) => name);
  const before = kit.bars("The reference", names, share);
  const after = kit.bars("The best policy", names, share);
  const pairs = (shares) => shares.map((x, i) => [names[i], x]);

  function paint() {
    DIALS.forEach(([name], i) => dials[i].show(setting[name]));
    const now = account(setting, replies);
    total.textContent =
      `The judge gives ${now.reward.toFixed(2)} on average, the world ` +
      `${now.points.toFixed(2)} points, ${now.kl.toFixed(2)} nats from the ` +
      "reference.";
    for (const key of ["reward", "points", "kl"]) total.dataset[key] = now[key];
    before.show(pairs(now.ref), "");
    after.show(pairs(now.policy), "");
  }
  root.append(
    kit.make("div", { class: "lx-dials" }, ...dials.map(({ node }) => node)),
    total, before.node, after.node,
  );
  paint();
  return stop;
}

export default { render };
