"""The long runs of chapter 15, a row of the stored table for each number.

    python benchmarks/preferences.py              # the runs that it lacks
    python benchmarks/preferences.py --runs "dpo 0.1" --seeds 0
    python benchmarks/preferences.py --reporter   # the model they begin with

DPO at five betas, DPO on the labels of a judge who likes long answers, IPO and
SimPO, three seeds each: other stories, other answers, another order. Table and
model lie in the package, so that the chapter can read them wherever it runs.
"""

import argparse
import copy
import csv
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

from llm_utils.align.dpo import dpo_loss, ipo_loss, simpo_loss, train_dpo
from llm_utils.align.log_probs import response_kl
from llm_utils.align.pairs import Pair, ranked_pairs
from llm_utils.align.reporter import (
    asked,
    demonstrations,
    draw_reports,
    judged,
    load_reporter,
    short_stories,
)
from llm_utils.align.sft import sft_collate, train_sft
from llm_utils.align.template import SHORT, ChatTemplate
from llm_utils.model.hf import to_hf
from llm_utils.text.tinyworld import Story
from llm_utils.text.tinyworld.reports import (
    PADDING,
    Report,
    guessed_report,
    judge_report,
)
from llm_utils.train.base import load_base
from llm_utils.train.muon import muon_with_adamw
from llm_utils.train.optim import AdamW, decay_groups
from llm_utils.train.schedules import warmup_cosine
from llm_utils.train.trainer import TrainConfig

ASSETS = Path(__file__).parents[1] / "llm_utils/assets"
TABLE, MODEL = ASSETS / "preference_runs.csv", ASSETS / "reporter"
# The recipe, which the chapter's cells repeat.
STORIES, G, EACH, STEPS, B, RATE, WARMUP = 300, 4, 2, 60, 8, 3e-4, 5
HELD, TEST_SEED, LOOK, MAIN = 160, 99, (15, 30), "dpo 0.3"
HABIT = 2.0  # points a sentence, which the judge with a habit adds
LOSSES = {
    **{f"dpo {b:g}": (partial(dpo_loss, beta=b), False)
       for b in (0.01, 0.1, 0.3, 1.0, 3.0)},
    "long": (partial(dpo_loss, beta=0.3), False),
    "ipo": (partial(ipo_loss, beta=1.0), True),
    "simpo": (partial(simpo_loss, beta=2.0, gamma=0.5), True),
}  # fmt: skip

Ids = list[int]
Value = Callable[[Report], float]


def points(report: Report) -> float:
    return report.points


def habit(report: Report) -> float:
    """What the judge gives who likes long reports."""
    return report.points + HABIT * report.sentences


def labeled(held, seed: int, value: Value) -> list[Pair]:
    """Pairs of the model's own reports, by what a judge gives for them."""
    template, picks = held.template, random.Random(seed)
    pairs = list[Pair]()
    for story, answers in zip(*held.drawn(seed), strict=True):
        scores = [value(judged(template, story, ids)) for ids in answers]
        prompt = template.prompt(asked(story))
        pairs += ranked_pairs(
            prompt, answers, scores, template.end, EACH, picks
        )
    return pairs


class Held:
    """Reports on held-out stories against those of the reference."""

    def __init__(self, reference, template) -> None:
        self.reference, self.template = reference, template
        self.stories = short_stories(HELD, TEST_SEED)
        self.before = self.reports(reference, seed=1)[1]
        self.pools: dict[int, tuple[list[Story], list[list[Ids]]]] = {}

    def drawn(self, seed: int) -> tuple[list[Story], list[list[Ids]]]:
        """Stories for training, and the model's own reports on each."""
        if seed not in self.pools:
            stories = short_stories(STORIES, 500 + seed)
            rng = torch.Generator().manual_seed(seed)
            told = draw_reports(self.reference, self.template, stories, G, rng)
            self.pools[seed] = stories, told
        return self.pools[seed]

    def reports(self, model, seed: int) -> tuple[list[Ids], list[Report]]:
        rng = torch.Generator().manual_seed(seed)
        told = draw_reports(model, self.template, self.stories, 1, rng)
        ids = [one[0] for one in told]
        pairs = zip(self.stories, ids, strict=True)
        return ids, [judged(self.template, *pair) for pair in pairs]

    def against(self, reports: list[Report]) -> dict[str, float]:
        n = len(reports)
        pairs = list(zip(reports, self.before, strict=True))
        ties = sum(a.points == b.points for a, b in pairs) / n
        wins = sum(a.points > b.points for a, b in pairs) / n
        return {
            "win": wins + ties / 2,
            "ties": ties,
            "points": sum(r.points for r in reports) / n,
            "true": sum(r.true for r in reports)
            / max(1, sum(r.sentences for r in reports)),
            "sentences": sum(r.sentences for r in reports) / n,
        }

    @torch.no_grad()
    def __call__(self, model, seed: int) -> dict[str, float]:
        """Also the KL to the reference, in nats a report."""
        model.eval()
        ids, reports = self.reports(model, 10 + seed)
        rows = []
        for story, answer in zip(self.stories, ids, strict=True):
            prompt = self.template.prompt(asked(story))
            mask = [False] * len(prompt) + [True] * len(answer)
            rows.append(([*prompt, *answer], mask))
        rows.sort(key=lambda row: len(row[0]))
        kl = sum(
            float(response_kl(model, self.reference, *sft_collate(part)).sum())
            for part in (rows[i : i + 40] for i in range(0, len(rows), 40))
        )
        said = " ".join(map(self.template.said, ids))
        empty = sum(said.count(text) for text in PADDING)
        share = {"kl": kl / len(rows), "padding": empty / len(rows)}
        return {**self.against(reports), **share}


Row = tuple[int, str, float]  # step, measure, value


def trained(run: str, seed: int, held: Held) -> Iterator[Row]:
    """All that the table says of one run."""
    loss, mean = LOSSES[run]
    value = habit if run == "long" else points
    reference, end = held.reference, held.template.end
    pairs = labeled(held, seed, value)
    model = copy.deepcopy(reference)
    opt = AdamW(decay_groups(model, 0.0))
    steps = train_dpo(
        model, reference, pairs, B, opt, warmup_cosine(RATE, STEPS, WARMUP),
        TrainConfig(STEPS), torch.Generator().manual_seed(seed), loss, mean,
        end,
    )  # fmt: skip
    yield 0, "pairs", len(pairs)
    for s in steps:
        names = ("accuracy", "margin", "chosen", "rejected")
        yield from ((s.step, name, s[name]) for name in names)
        yield s.step, "loss", s.loss
        if s.step == STEPS or (s.step in LOOK and run == MAIN):
            yield from ((s.step, *x) for x in held(model, seed).items())
            model.train()


def rows_of(run: str, seed: int, held: Held) -> list[Row]:
    if run == "guess":
        told = [judge_report(s.facts, guessed_report(s)) for s in held.stories]
        found = {**held.against(told), "padding": 0.0}
        return [(0, *x) for x in found.items()]
    if run == "sft":
        return [(0, *x) for x in held(held.reference, seed).items()]
    return list(trained(run, seed, held))


def make_reporter(seed: int = 0, steps: int = 1000) -> None:
    """Chapter 14's full tuning, on reports that are true, with some padding."""
    model, bpe = load_base()
    template, rng = ChatTemplate(bpe, SHORT), torch.Generator().manual_seed(0)
    examples = demonstrations(template, short_stories(5000, seed), seed)
    for step in train_sft(
        model, examples, 8, muon_with_adamw(model, weight_decay=0.0),
        warmup_cosine(3e-3, steps, 10), TrainConfig(steps), rng, template.end,
    ):  # fmt: skip
        if step.step % 50 == 0:
            print(step.step, round(step.loss, 3), flush=True)
    to_hf(model.bfloat16(), None, MODEL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reporter", action="store_true")
    parser.add_argument("--runs", nargs="*", default=["guess", "sft", *LOSSES])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--table", type=Path, default=TABLE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.reporter:
        return make_reporter()
    if not args.table.exists():
        args.table.write_text("run,seed,step,measure,value\n")
    held = Held(*load_reporter())
    for seed in args.seeds:
        for run in args.runs:
            with args.table.open(encoding="utf-8") as file:
                known = {
                    (r["run"], int(r["seed"])) for r in csv.DictReader(file)
                }
            if (run, seed) in known or (run == "guess" and seed):
                continue
            rows = rows_of(run, seed, held)
            with args.table.open("a", encoding="utf-8") as file:
                for step, name, value in rows:
                    file.write(f"{run},{seed},{step},{name},{value:.5g}\n")
            last = {n: round(v, 3) for s, n, v in rows if s == rows[-1][0]}
            print(run, seed, last, flush=True)


if __name__ == "__main__":
    main()
