// Which tricks would you take? Chapter 17 measured every number here.
// The model holds
//   setting  {trick: on?}
//   rungs    [{name, rung, out}]: log of the score's fall when the trick came
//            as a rung of the ladder, and of its rise when it alone left
//   ends     {plain, best}: the scores of no trick and of all

const percent = (x) => `${x.toFixed(x < 99.5 ? 1 : 0)} %`;

function foretell(setting, rungs, { plain, best }) {
  const sum = (key, on) => rungs
    .filter(({ name }) => Boolean(setting[name]) === on)
    .reduce((total, rung) => total + rung[key], 0);
  return {
    below: plain * Math.exp(-sum("rung", true)),
    above: best * Math.exp(sum("out", false)),
  };
}

function render({ model, el }) {
  const root = kit.frame(el, "Which tricks would you take?");
  const [rungs, ends] = ["rungs", "ends"].map((x) => model.get(x));
  const { setting, turn, stop } = kit.setting(model, paint);
  const buttons = rungs.map(({ name }) => {
    const button = kit.make("button", { type: "button", class: "lx-button" },
      name);
    button.addEventListener("click", () => turn(name, !setting[name]));
    return button;
  });
  const row = kit.make("div", {
    class: "lx-buttons lx-switches", role: "group", "aria-label": "Tricks",
  }, ...buttons);
  const total = kit.make("div", { role: "status", class: "lx-total" });
  const bars = kit.bars("Percent above the entropy, predicted",
    ["from the ladder", "from leaving out"], percent);

  function paint() {
    const now = foretell(setting, rungs, ends);
    buttons.forEach((b) =>
      b.setAttribute("aria-pressed", Boolean(setting[b.textContent])));
    const n = rungs.filter(({ name }) => setting[name]).length;
    const apart = Math.abs(Math.log(now.above / now.below));
    total.textContent = `${n} of ${rungs.length} tricks: between ` +
      `${percent(Math.min(now.below, now.above))} and ` +
      `${percent(Math.max(now.below, now.above))} above the entropy. ` +
      (apart < 0.1 ? "Both ways agree."
        : `The two ways differ by a factor of ${Math.exp(apart).toFixed(2)}: ` +
          "what tricks do to each other.");
    total.dataset.below = now.below;
    total.dataset.above = now.above;
    bars.show([["from the ladder", now.below], ["from leaving out", now.above]],
      "");
  }
  root.append(row, total, bars.node);
  paint();
  return stop;
}

export default { render };
