// How fast a model can write: bytes to hold, bytes to read, operations to do.
// Chapter 11 derives every formula here. The model holds
//   setting   model, bits, B (texts), T (tokens of each), k (guesses), alpha
//   shapes    name: [parameters, layers, key-value heads, width of a head]
//   roof      [FLOP/s, bytes a second];  capacity  bytes of the device

const two = (high) => Array.from({ length: high + 1 }, (_, i) => 2 ** i);
const DIALS = [
  ["bits", "Bits of a weight", [16, 8, 4], String],
  ["B", "Texts at once", two(10), String],
  ["T", "Tokens of each", two(10).map((x) => 128 * x),
    (x) => x.toLocaleString("en-US")],
  ["k", "Guesses a pass", [0, 1, 2, 3, 4, 6, 8, 12, 16], String],
  ["alpha", "A guess is kept", Array.from({ length: 20 }, (_, i) => i / 20),
    (x) => `${Math.round(100 * x)} %`],
];
const GB = (x) => `${(x / 1e9).toPrecision(3)} GB`;
const ms = (x) => `${(1e3 * x).toPrecision(3)} ms`;

function account(s, shapes, [flops, bandwidth]) {
  const [N, L, K, D] = shapes[s.model];
  const weights = (N * s.bits) / 8;
  const caches = 2 * L * K * D * s.B * s.T * 2;
  const computing = (2 * N * s.B * (s.k + 1)) / flops;
  const reading = (weights + caches) / bandwidth;
  let given = 0;
  for (let i = 0; i <= s.k; i++) given += s.alpha ** i;
  return {
    memory: [["Weights", weights], ["Caches", caches]],
    time: [
      ["Reading weights", weights / bandwidth],
      ["Reading caches", caches / bandwidth],
      ["Arithmetic", computing],
    ],
    seconds: Math.max(reading, computing),
    wall: computing > reading ? "arithmetic"
      : caches > weights ? "reading caches" : "reading weights",
    given,
  };
}

function render({ model, el }) {
  const root = kit.frame(el, "How fast can it write?");
  const [shapes, roof, capacity] = ["shapes", "roof", "capacity"].map((x) => model.get(x));
  const { setting, turn, stop } = kit.setting(model, paint);
  const names = kit.switches("Model", Object.keys(shapes),
    () => turn("model", names.value()));
  const dials = DIALS.map((dial) => kit.dial(dial, turn));
  const total = kit.make("div", { role: "status", class: "lx-total" });
  const first = account(setting, shapes, roof);
  const of = (pairs) => pairs.map(([x]) => x);
  const memory = kit.bars("Memory", of(first.memory), GB);
  const time = kit.bars("Time of a pass, at least", of(first.time), ms);

  function paint() {
    names.set(setting.model);
    DIALS.forEach(([name], i) => dials[i].show(setting[name]));
    const now = account(setting, shapes, roof);
    const each = now.given / now.seconds;
    const short = (x) => (x < 99.5 ? x.toPrecision(2)
      : Math.round(x).toLocaleString("en-US"));
    total.textContent = `At most ${short(each)} tokens a second for each text, ` +
      `${short(each * setting.B)} for all; ${now.given.toFixed(2)} a pass; ` +
      `the wall is ${now.wall}`;
    total.dataset.each = each;
    const bytes = now.memory.reduce((n, [, x]) => n + x, 0);
    memory.show(now.memory, `${GB(bytes)}, ` +
      (bytes < capacity ? "fits" : `more than ${GB(capacity)}`));
    time.show(now.time, ms(now.seconds));
  }
  root.append(
    names.node, kit.make("div", { class: "lx-dials" }, ...dials.map(({ node }) => node)),
    total, memory.node, time.node,
  );
  paint();
  return stop;
}

export default { render };
