"""The long runs of chapter 14, a row of the stored table for each number.

    python benchmarks/finetuning.py              # the runs that the table lacks
    python benchmarks/finetuning.py --runs full mixed --seeds 0

Full tuning, LoRA and full tuning with stories mixed in, three seeds each; the
first two also for twice the steps ("long"); and tuning of all but the tables.
Four or five minutes a run on one core, the long ones ten. Table and adapter lie
in the package, so that the chapter can read them wherever it runs. The recipe,
and that twice the steps help LoRA, was found on questions of another seed than
those that count.
"""

import argparse
import copy
import csv
import random
from collections import defaultdict
from pathlib import Path

import torch

from llm_utils.align.lora import add_lora, n_trained
from llm_utils.align.peft_files import save_lora
from llm_utils.align.sft import train_sft
from llm_utils.align.template import SHORT, ChatTemplate
from llm_utils.infer.answers import exact_match
from llm_utils.infer.cache import new_cache
from llm_utils.infer.sample import generate_batch
from llm_utils.text.tinyworld import Question, Story, TinyWorld, guessers
from llm_utils.text.tinyworld.lexicon import PETS
from llm_utils.text.tinyworld.questions import all_questions
from llm_utils.train.base import load_base
from llm_utils.train.muon import muon_with_adamw
from llm_utils.train.optim import AdamW, decay_groups
from llm_utils.train.packing import pad
from llm_utils.train.schedules import warmup_cosine
from llm_utils.train.trainer import TrainConfig, evaluate

ASSETS = Path(__file__).parents[1] / "llm_utils/assets"
TABLE, ADAPTER = ASSETS / "finetuning_runs.csv", ASSETS / "finetuned"
# The recipe, which the chapter's cells repeat.
STORIES, STEPS, B, WARMUP = 5000, 1000, 8, 10
RATES = {"full": 3e-3, "mixed": 3e-3, "matrices": 3e-3, "lora": 4e-3}
ALPHA = 16  # of LoRA, whatever the rank
TEST_SEED, TEST_STORIES, EACH_KIND = 2024, 3000, 80
WANTED = [
    *((run, 0) for run in ("base", "guess")),
    *((run, seed) for seed in (0, 1, 2) for run in ("full", "lora 4", "mixed")),
    *(("lora 4 long", seed) for seed in (0, 1, 2)),
    *(("full long", seed) for seed in (0, 1)),
    ("matrices", 0),
]
world = TinyWorld("mini")
base, bpe = load_base()
END = "<|endoftext|>"
template = ChatTemplate(bpe, SHORT)

Asked = tuple[Story, Question]


def talk(story: Story, *turns: str) -> list[dict[str, str]]:
    """A story, then questions and answers in turn, as messages."""
    roles = ("user", "assistant")
    return [{"role": "system", "content": story.text}] + [
        {"role": roles[i % 2], "content": text} for i, text in enumerate(turns)
    ]


def in_words(answer: str) -> str:
    """An answer as a story would spell it: only names begin large."""
    known = answer.strip(".") in (*world.level.people, *PETS, "Nobody")
    return answer if known else answer[0].lower() + answer[1:]


def examples_of(n: int, seed: int):
    """Conversations about n stories, with the world's questions.

    Of the rare ones about feelings, all.
    """
    rng, found = random.Random(seed), []
    for story in world.stories(n, seed):
        qs = [
            *world.questions(story),
            *(
                q
                for q in all_questions(world.grammar, story)
                if q.kind == "feel"
            ),
        ]
        turns = [*dict.fromkeys((q.text, in_words(q.answer)) for q in qs)]
        rng.shuffle(turns)
        if turns:
            found.append(template.render(talk(story, *sum(turns, ()))))
    return found


def stories_of(n: int, seed: int) -> list[tuple[list[int], list[bool]]]:
    """Stories as examples of which all but the first token is learned."""
    rows = [[template.end, *bpe.encode(s.text), template.end]
            for s in world.stories(n, seed)]  # fmt: skip
    return [(row, [False] + [True] * (len(row) - 1)) for row in rows]


def asked() -> list[Asked]:
    """EACH_KIND held-out questions of each kind that is not too rare."""
    found: dict[str, list[Asked]] = defaultdict(list)
    for story in world.stories(TEST_STORIES, TEST_SEED):
        for q in world.questions(story):
            found[q.kind].append((story, q))
    most = EACH_KIND
    return [
        x for k, v in sorted(found.items()) if len(v) >= most for x in v[:most]
    ]


def answers(model, questions: list[Asked], n: int = 12) -> list[str]:
    """What the model says, greedily; prompts of like length together."""
    prompts = [template.prompt(talk(s, q.text)) for s, q in questions]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    told: dict[int, str] = {}
    for at in range(0, len(order), 40):
        group = order[at : at + 40]
        rows = [prompts[i] for i in group]
        cache = new_cache(model, len(rows), max(map(len, rows)) + n)
        new = generate_batch(
            model, rows, n, cache=cache, stop_ids=[template.end]
        )
        told.update(zip(group, map(template.said, new), strict=True))
    return [told[i] for i in range(len(prompts))]


def by_kind(questions: list[Asked], right: list[float]) -> dict[str, float]:
    found = defaultdict(list)
    for (_, q), hit in zip(questions, right, strict=True):
        found[q.kind].append(hit)
    shares = {kind: sum(v) / len(v) for kind, v in found.items()}
    return shares | {"all": sum(right) / len(right)}


def measure(model, questions: list[Asked]) -> dict[str, float]:
    """Exact match by kind, and the loss on stories in nats a token."""
    model.eval()
    said = answers(model, questions)
    pairs = zip(said, questions, strict=True)
    right = [exact_match(a, q.answer) for a, (_, q) in pairs]
    held = [row for row, _ in stories_of(200, seed=404)]
    batches = [pad(held[i : i + 20]) for i in range(0, 200, 20)]
    stories = {"stories": evaluate(model, batches)}
    return by_kind(questions, right) | stories


def tuned(run: str, seed: int) -> tuple[torch.nn.Module, list[float]]:
    """The model after a run, and the loss of each of its steps."""
    model, rate = copy.deepcopy(base), RATES[run.split()[0]]
    examples, size = examples_of(STORIES, seed), B
    n_steps = STEPS * 2 if run.endswith("long") else STEPS
    if run == "mixed":
        examples = [*examples, *stories_of(STORIES // 4, 1000 + seed)]
        size = B * 5 // 4
    if run.startswith("lora"):
        rank = int(run.split()[1])
        rng = torch.Generator().manual_seed(seed)
        add_lora(model, rank, ALPHA, rng=rng)
        opt = AdamW(decay_groups(model, 0.0))
    else:
        for table in (model.tokens, model.head):
            table.requires_grad_(run != "matrices")
        opt = muon_with_adamw(model, weight_decay=0.0)
    steps = train_sft(
        model, examples, size, opt, warmup_cosine(rate, n_steps, WARMUP),
        TrainConfig(n_steps), torch.Generator().manual_seed(seed), template.end,
    )  # fmt: skip
    return model, [step.loss for step in steps]


def row_of(run: str, seed: int, questions: list[Asked]) -> dict[str, float]:
    """All that the table says of one run."""
    if run == "guess":
        best = {k: g.best for k, g in guessers(questions).items()}
        return best | {"all": sum(best.values()) / len(best)}
    if run == "base":
        return measure(copy.deepcopy(base), questions)
    model, losses = tuned(run, seed)
    if (run, seed) == ("lora 4", 0):
        save_lora(model, ADAPTER)
    found = measure(model, questions)
    found["trained"] = n_trained(model) / base.n_params
    if run == "full":
        found |= {f"loss {i}": x for i, x in enumerate(losses, 1)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", nargs="*", default=[r for r, _ in WANTED])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--table", type=Path, default=TABLE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if not args.table.exists():
        args.table.write_text("run,seed,measure,value\n", encoding="utf-8")
    questions = asked()
    for run, seed in WANTED:
        with args.table.open(encoding="utf-8") as file:
            done = {(r["run"], int(r["seed"])) for r in csv.DictReader(file)}
        chosen = run in args.runs and seed in args.seeds
        if (run, seed) in done or not chosen:
            continue
        found = row_of(run, seed, questions)
        lines = [f"{run},{seed},{k},{v:.5f}\n" for k, v in found.items()]
        with args.table.open("a", encoding="utf-8") as file:
            file.write("".join(lines))
        some = {k: round(v, 3) for k, v in found.items() if "loss" not in k}
        print(run, seed, some, flush=True)


if __name__ == "__main__":
    main()
