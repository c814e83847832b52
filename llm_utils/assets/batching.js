// Two ways to fill a batch. Chapter 13 derives both. The model holds
//   groups   name -> steps of each reader, in the order they came
//   readers  the group that is shown;  places  of the batch

// [reader, place, start, stop]: the next batch begins when this one is done.
function fixed(lengths, places) {
  const turns = [];
  let start = 0;
  for (let first = 0; first < lengths.length; first += places) {
    const batch = lengths.slice(first, first + places);
    batch.forEach((n, place) => turns.push([first + place, place, start, start + n]));
    start += Math.max(...batch);
  }
  return turns;
}

// Who is next takes the place that is free first.
function refilled(lengths, places) {
  const free = Array(places).fill(0);
  return lengths.map((n, reader) => {
    const start = Math.min(...free);
    const place = free.indexOf(start);
    free[place] = start + n;
    return [reader, place, start, start + n];
  });
}

function chart(title) {
  const note = kit.make("span", { class: "lx-note" });
  const head = kit.make("span", { class: "lx-head" }, title, note);
  const rows = kit.make("div", { class: "bt-rows", role: "img" });
  function show(turns, places, end) {
    const steps = Math.max(...turns.map((turn) => turn[3]));
    const used = turns.reduce((n, [, , start, stop]) => n + stop - start, 0);
    const share = Math.round((100 * used) / (places * steps));
    const text = `${steps} steps, ${share} % of the places used`;
    note.textContent = text;
    rows.setAttribute("aria-label", `${title}: ${text}`);
    rows.dataset.steps = steps;
    rows.replaceChildren(...Array.from({ length: places }, (_, place) => {
      const row = kit.make("div", { class: "bt-row" });
      for (const [reader, at, start, stop] of turns) {
        if (at !== place) continue;
        const bar = kit.make("span", {
          class: `bt-turn bt-${reader % 5}`,
          title: `reader ${reader + 1}, steps ${start + 1} to ${stop}`,
          "data-turn": [reader, place, start, stop].join(" "),
        }, stop - start > end / 40 ? String(reader + 1) : "");
        bar.style.left = `${(100 * start) / end}%`;
        bar.style.width = `${(100 * (stop - start)) / end}%`;
        row.append(bar);
      }
      return row;
    }));
  }
  return { node: kit.make("div", { class: "lx-group" }, head, rows), show };
}

function render({ model, el }) {
  const root = kit.frame(el, "Static and continuous batching");
  const groups = model.get("groups");
  const names = Object.keys(groups);
  const many = Array.from({ length: 8 }, (_, i) => i + 1);
  const who = kit.switches("Readers", names, changed);
  const places = kit.chooser("Places in the batch", many, changed);
  const charts = [chart("Filled again when all are done"),
    chart("Filled again at once")];
  const total = kit.make("div", { role: "status", class: "lx-total" });

  function paint() {
    const lengths = groups[who.value()];
    const n = places.value();
    const both = [fixed(lengths, n), refilled(lengths, n)];
    const ends = both.map((turns) => Math.max(...turns.map((turn) => turn[3])));
    const end = Math.max(...ends);
    charts.forEach((each, i) => each.show(both[i], n, end));
    const mean = (turns) =>
      turns.reduce((sum, turn) => sum + turn[3], 0) / turns.length;
    total.textContent = `${lengths.length} readers; one waits for the end of ` +
      `the reply ${mean(both[0]).toFixed(1)} steps on average, or ` +
      `${mean(both[1]).toFixed(1)}`;
  }
  function changed() {
    paint();
    shared.tell({ readers: who.value(), places: places.value() });
  }
  function load() {
    who.set(model.get("readers"));
    places.set(model.get("places"));
    paint();
  }
  const shared = kit.share(model, ["readers", "places"], load);
  root.append(who.node, places.node, total, ...charts.map(({ node }) => node));
  load();
  return () => shared.stop();
}

export default { render };
