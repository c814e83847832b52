"""The long runs of chapter 16, a row of the stored table for each number.

    python benchmarks/reinforcement.py              # the runs that it lacks
    python benchmarks/reinforcement.py --runs grpo --seeds 0
    python benchmarks/reinforcement.py --beginner   # the model they begin with

Answers: GRPO, and REINFORCE without a baseline, on one kind of question; GRPO
on another kind. Reports: GRPO on a reward with a loophole, the same on a leash,
and on the whole truth. Three seeds each: other questions, other stories, other
draws. Then one table: base, tuned, DPO, GRPO.
"""

import argparse
import copy
import csv
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from llm_utils.align.answerer import (
    load_answerer,
    questions_of,
    tasks_of,
    verified,
)
from llm_utils.align.dpo import dpo_loss, train_dpo
from llm_utils.align.log_probs import response_kl
from llm_utils.align.lora import add_lora
from llm_utils.align.pairs import ranked_pairs
from llm_utils.align.peft_files import save_lora
from llm_utils.align.policy import (
    Sampling,
    Task,
    gather,
    grpo,
    reinforce,
    train_policy,
)
from llm_utils.align.reporter import (
    asked,
    draw_reports,
    judged,
    load_reporter,
    short_stories,
)
from llm_utils.align.rl import group_advantages
from llm_utils.align.sft import sft_collate, train_sft
from llm_utils.align.template import SHORT, ChatTemplate
from llm_utils.infer.answers import pass_at_k
from llm_utils.infer.cache import new_cache
from llm_utils.infer.sample import generate_batch
from llm_utils.text.tinyworld import Story, TinyWorld, guessers
from llm_utils.text.tinyworld.reports import guessed_report, judge_report
from llm_utils.train.base import load_base
from llm_utils.train.optim import AdamW, decay_groups
from llm_utils.train.packing import pad
from llm_utils.train.schedules import warmup_cosine
from llm_utils.train.trainer import TrainConfig, evaluate

ASSETS = Path(__file__).parents[1] / "llm_utils/assets"
TABLE, BEGINNER = ASSETS / "reinforcement_runs.csv", ASSETS / "beginner"
KIND = "who has"
KINDS = ("feel", "where is what", "where is who", "who has", "who is where")
# The recipe of the answers, which the chapter's cells repeat.
STEPS, P, G, N, RATE, WARMUP = 40, 16, 8, 8, 2e-4, 5
HELD, HELD_SEED, LOOK = 160, 2025, 10
# That of the reports.
R_STEPS, R_P, R_G, R_RATE, R_HELD, R_SEED, R_LOOK = 24, 8, 8, 3e-4, 64, 98, 4
R_LENGTH = 94  # tokens of each prompt: those of one length go together
BETA = 0.1
FRESH = 4242  # the seed of what the last table is measured on

Row = tuple[int, str, float]  # step, measure, value


def bare(rewards: torch.Tensor) -> torch.Tensor:
    """No baseline at all."""
    return rewards


ANSWERS = {
    "grpo": (grpo(), group_advantages),
    "no baseline": (reinforce, bare),
    "stuck": (grpo(), group_advantages),  # another model, another kind
}
REPORTS = {"loophole": 0.0, "leash": BETA, "points": 0.0}


# --- answers -----------------------------------------------------------------


def greedy(model, tasks: list[Task], template) -> float:
    """Exact match of the likeliest answers."""
    judge, order = verified(template), sorted(tasks, key=lambda t: len(t[0]))
    right = 0.0
    for at in range(0, len(order), 40):
        some = order[at : at + 40]
        rows = [list(task.prompt) for task in some]
        cache = new_cache(model, len(rows), max(map(len, rows)) + N)
        said = generate_batch(
            model, rows, N, cache=cache, stop_ids=[template.end]
        )
        right += sum(map(judge, some, said))
    return right / len(tasks)


def sampled(model, tasks: list[Task], template) -> Iterator[tuple[str, float]]:
    """How often one of k draws is right."""
    s = Sampling(P=len(tasks), G=8, n=N, end=template.end)
    rng = torch.Generator().manual_seed(1)
    hits = gather(model, tasks, verified(template), s, rng).rewards.sum(-1)
    for k in (1, 2, 4, 8):
        passed = [pass_at_k(8, int(c), k) for c in hits]
        yield f"pass {k}", sum(passed) / len(passed)


def answering(run: str, seed: int) -> Iterator[Row]:
    objective, advantages = ANSWERS[run]
    kind = "who is where" if run == "stuck" else KIND
    start, template = load_answerer(
        "finetuned" if run == "stuck" else "beginner"
    )
    model = copy.deepcopy(start)
    tasks = tasks_of(template, questions_of(kind, STEPS * P, 1000 + seed))
    held = tasks_of(template, questions_of(kind, HELD, HELD_SEED))
    if run == "stuck":
        yield 0, "exact", greedy(model, held, template)
        yield from ((0, *x) for x in sampled(model, held, template))
    steps = train_policy(
        model, tasks, verified(template), AdamW(decay_groups(model, 0.0)),
        warmup_cosine(RATE, STEPS, WARMUP), TrainConfig(STEPS),
        torch.Generator().manual_seed(seed),
        Sampling(P, G, N, end=template.end), objective, advantages,
        start,
    )  # fmt: skip
    for s in steps:
        for name in ("reward", "silent", "entropy", "kl"):
            yield s.step, name, s[name]
        if s.step % LOOK == 0:
            yield s.step, "exact", greedy(model.eval(), held, template)
            model.train()
    yield from ((STEPS, *x) for x in sampled(model, held, template))
    if run == "grpo":
        yield from all_of(model, start, template, STEPS)


# --- reports -----------------------------------------------------------------


def reporting(run: str, seed: int) -> Iterator[Row]:
    start, template = load_reporter()
    model = copy.deepcopy(start)
    stories = of_length(template, R_STEPS * R_P, 7000 + seed)
    tasks = [Task(template.prompt(asked(s)), s) for s in stories]

    def reward(task: Task, ids: list[int]) -> float:
        report = judged(template, task.key, ids)
        return float(report.points if run == "points" else report.true)

    steps = train_policy(
        model, tasks, reward, AdamW(decay_groups(model, 0.0)),
        warmup_cosine(R_RATE, R_STEPS, WARMUP), TrainConfig(R_STEPS),
        torch.Generator().manual_seed(seed),
        Sampling(R_P, R_G, 80, end=template.end), grpo(beta=REPORTS[run]),
        reference=start,
    )  # fmt: skip
    yield from watched(start, template, 0, seed)
    for s in steps:
        for name in ("reward", "silent", "entropy", "length", "ended", "kl"):
            yield s.step, name, s[name]
        if s.step % R_LOOK == 0:
            yield from watched(model.eval(), template, s.step, seed)
            model.train()
    if run == "points":
        yield from all_of(model, start, template, R_STEPS, reports=True)


def of_length(template, n: int, seed: int) -> list[Story]:
    """n short stories whose prompts have R_LENGTH tokens."""
    some = short_stories(40 * n, seed)
    fit = [s for s in some if len(template.prompt(asked(s))) == R_LENGTH]
    return fit[:n]


def watched(model, template, step: int, seed: int) -> Iterator[Row]:
    """Held-out reports, as the world sees them."""
    stories = of_length(template, R_HELD, R_SEED)
    rng = torch.Generator().manual_seed(50 + seed)
    drawn = draw_reports(model, template, stories, 1, rng)
    pairs = zip(stories, drawn, strict=True)
    reports = [judged(template, s, ids[0]) for s, ids in pairs]
    yield step, "points", sum(r.points for r in reports) / R_HELD
    yield step, "true", sum(r.true for r in reports) / R_HELD
    yield step, "sentences", sum(r.sentences for r in reports) / R_HELD


# --- one table ---------------------------------------------------------------


def all_of(
    model, start, template, step: int, reports: bool = False
) -> Iterator[Row]:
    """What a model can do, all on fresh questions and stories.

    start: the model that it is compared with, by win rate and KL.
    """
    model.eval()
    for kind in KINDS:
        fresh = tasks_of(template, questions_of(kind, 100, FRESH))
        yield step, kind, greedy(model, fresh, template)
    yield step, "stories", on_stories(model, template)
    if reports:
        yield from against(model, start, template, step)


def on_stories(model, template) -> float:
    """Nats a token on stories: what the base model was trained for."""
    rows = [[template.end, *template.tokenizer.encode(s.text), template.end]
            for s in TinyWorld("mini").stories(200, FRESH)]  # fmt: skip
    batches = [pad(rows[i : i + 20]) for i in range(0, 200, 20)]
    return evaluate(model, batches)


@torch.no_grad()
def against(model, start, template, step: int) -> Iterator[Row]:
    """Win rate and points of reports, and their KL in nats."""
    stories = of_length(template, 120, FRESH)
    sides = []
    for one, seed in ((model, 5), (start, 6)):
        rng = torch.Generator().manual_seed(seed)
        drawn = [x[0] for x in draw_reports(one, template, stories, 1, rng)]
        sides.append(drawn)
    worth = [[judged(template, s, ids).points
              for s, ids in zip(stories, side, strict=True)]
             for side in sides]  # fmt: skip
    wins = [(a > b) + (a == b) / 2 for a, b in zip(*worth, strict=True)]
    rows = []
    for story, ids in zip(stories, sides[0], strict=True):
        prompt = template.prompt(asked(story))
        mask = [False] * len(prompt) + [True] * len(ids)
        rows.append(([*prompt, *ids], mask))
    rows.sort(key=lambda row: len(row[0]))
    kl = sum(
        float(response_kl(model, start, *sft_collate(part)).sum())
        for part in (rows[i : i + 40] for i in range(0, len(rows), 40))
    )
    yield step, "win", sum(wins) / len(wins)
    yield step, "worth", sum(worth[0]) / len(worth[0])
    yield step, "report kl", kl / len(rows)


def preferring(seed: int) -> Iterator[Row]:
    """Chapter 15's main run again, for the table."""
    start, template = load_reporter()
    stories, picks = short_stories(300, 500 + seed), random.Random(seed)
    rng = torch.Generator().manual_seed(seed)
    pairs = []
    for story, answers in zip(
        stories, draw_reports(start, template, stories, 4, rng), strict=True
    ):
        scores = [judged(template, story, ids).points for ids in answers]
        prompt = template.prompt(asked(story))
        pairs += ranked_pairs(prompt, answers, scores, template.end, 2, picks)
    model = copy.deepcopy(start)
    for _ in train_dpo(
        model, start, pairs, 8, AdamW(decay_groups(model, 0.0)),
        warmup_cosine(3e-4, 60, 5), TrainConfig(60),
        torch.Generator().manual_seed(seed), partial(dpo_loss, beta=0.3),
        end=template.end,
    ):  # fmt: skip
        pass
    yield from all_of(model, start, template, 60, reports=True)


def fixed(run: str) -> Iterator[Row]:
    """Models that no seed of ours has made, and the guessers."""
    if run == "guess":
        for kind in KINDS:
            fresh = questions_of(kind, 100, FRESH)
            yield 0, kind, guessers(fresh)[kind].best
        for name, kind in (("held", KIND), ("held stuck", "who is where")):
            held = questions_of(kind, HELD, HELD_SEED)
            yield 0, name, guessers(held)[kind].best
        template = ChatTemplate(load_base()[1], SHORT)
        for name, n, seed in (("points", R_HELD, R_SEED),
                              ("worth", 120, FRESH)):  # fmt: skip
            some = of_length(template, n, seed)
            worth = [judge_report(s.facts, guessed_report(s)) for s in some]
            yield 0, name, sum(r.points for r in worth) / n
        return
    if run == "base":
        model, bpe = load_base()
        yield from all_of(model, model, ChatTemplate(bpe, SHORT), 0)
    elif run == "answerer":
        start, template = load_answerer()
        tasks = tasks_of(template, questions_of(KIND, HELD, HELD_SEED))
        yield 0, "exact", greedy(start, tasks, template)
        yield from ((0, *x) for x in sampled(start, tasks, template))
        yield from all_of(start, start, template, 0)
    else:
        start, template = load_reporter()
        yield from all_of(start, start, template, 0, reports=True)


def make_beginner() -> None:
    """Chapter 14's LoRA, on fewer stories and stopped after 156 steps.

    By then the form of an answer is learned, and to look it up has begun.
    """
    from finetuning import examples_of  # beside this file

    model, bpe = load_base()
    rng, draws = (torch.Generator().manual_seed(7) for _ in range(2))
    add_lora(model, 4, 16, rng=rng)
    for _ in train_sft(
        model, examples_of(1500, 7), 8, AdamW(decay_groups(model, 0.0)),
        warmup_cosine(4e-3, 1000, 10), TrainConfig(156), draws,
        ChatTemplate(bpe, SHORT).end,
    ):  # fmt: skip
        pass
    save_lora(model, BEGINNER)


def rows_of(run: str, seed: int) -> list[Row]:
    if run in ANSWERS:
        return list(answering(run, seed))
    if run in REPORTS:
        return list(reporting(run, seed))
    return list(preferring(seed) if run == "dpo" else fixed(run))


def main() -> None:
    fix = ["guess", "base", "answerer", "reporter"]
    runs = [*fix, "grpo", *REPORTS, "dpo", *list(ANSWERS)[1:]]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beginner", action="store_true")
    parser.add_argument("--runs", nargs="*", default=runs)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--table", type=Path, default=TABLE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.beginner:
        return make_beginner()
    if not args.table.exists():
        args.table.write_text("run,seed,step,measure,value\n")
    for seed in args.seeds:
        for run in (run for run in runs if run in args.runs):
            with args.table.open(encoding="utf-8") as file:
                known = {
                    (r["run"], int(r["seed"])) for r in csv.DictReader(file)
                }
            if (run, seed) in known or (run in fix and seed):
                continue
            rows = rows_of(run, seed)
            with args.table.open("a", encoding="utf-8") as file:
                for step, name, value in rows:
                    file.write(f"{run},{seed},{step},{name},{value:.5g}\n")
            last = {n: round(v, 3) for s, n, v in rows if s == rows[-1][0]}
            print(run, seed, last, flush=True)


if __name__ == "__main__":
    main()
