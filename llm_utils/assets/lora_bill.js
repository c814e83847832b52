// What does tuning cost in memory? Chapter 14 derives every number here.
// The model holds
//   setting   size, rank, targets (which maps), bits (of frozen weights)
//   sizes     {name: {n_params, rank_one: {targets: numbers of rank 1}}}

const EACH = { Weights: 2, Gradients: 2, AdamW: 12 }; // bytes a trained number
const RANKS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const CARD = 24e9;

const gigabytes = (x) => {
  const gb = x / 1e9;
  return `${gb.toFixed(gb < 0.995 ? 3 : gb < 99.5 ? 1 : 0)} GB`;
};
const many = (x) => Math.round(x).toLocaleString("en-US");

function account({ size, rank, targets, bits }, sizes) {
  const n = sizes[size].n_params;
  const trained = rank * sizes[size].rank_one[targets];
  const of = (count, frozen) => {
    const parts = Object.entries(EACH).map(([name, bytes]) => [
      name, count * bytes + (name === "Weights" ? frozen : 0),
    ]);
    return [...parts, ["Together", parts.reduce((sum, [, x]) => sum + x, 0)]];
  };
  return { n, trained, full: of(n, 0), lora: of(trained, (n * bits) / 8) };
}

function render({ model, el }) {
  const root = kit.frame(el, "What does tuning cost in memory?");
  const sizes = model.get("sizes");
  const { setting, turn, stop } = kit.setting(model, paint);
  const names = Object.keys(sizes);
  const size = kit.chooser("Model", names, () => turn("size", size.value()));
  const rank = kit.dial(["rank", "Rank", RANKS, String], turn);
  const bits = kit.dial(
    ["bits", "Bits of a frozen weight", [4, 8, 16], String], turn);
  const maps = kit.switches("Maps with a correction",
    Object.keys(sizes[names[0]].rank_one), () => turn("targets", maps.value()));
  const total = kit.make("div", { role: "status", class: "lx-total" });
  const rows = [...Object.keys(EACH), "Together"];
  const full = kit.bars("Full tuning", rows, gigabytes);
  const lora = kit.bars("LoRA", rows, gigabytes);

  function paint() {
    size.set(setting.size);
    rank.show(setting.rank);
    bits.show(setting.bits);
    maps.set(setting.targets);
    const now = account(setting, sizes);
    const share = ((100 * now.trained) / now.n).toPrecision(2);
    const fits = [["full tuning", now.full], ["LoRA", now.lora]]
      .filter(([, bill]) => bill.at(-1)[1] <= CARD).map(([name]) => name);
    total.textContent =
      `${many(now.trained)} of ${many(now.n)} numbers are trained, ${share} %. ` +
      `A card of 24 GB holds ${fits.join(" and ") || "neither"}, ` +
      "without the activations.";
    total.dataset.trained = now.trained;
    full.show(now.full, "");
    lora.show(now.lora, "");
  }
  root.append(
    kit.make("div", { class: "lx-dials" },
      size.node, rank.node, bits.node),
    maps.node, total, full.node, lora.node,
  );
  paint();
  return stop;
}

export default { render };
