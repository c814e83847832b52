"""Chapter 8's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import math

import torch
import training_beginners as by
from held import held_to
from torch import nn
from torch.nn import functional as F

from llm_utils.checks import training as check
from llm_utils.checks.training.disk import after_power_cut
from llm_utils.checks.training.loops import Moody
from llm_utils.checks.training.runs import Run, restore
from llm_utils.text.next_token import token_log_probs
from llm_utils.train.muon import newton_schulz
from llm_utils.train.optim import AdamW, decay_groups

# -- right answers, in other forms than the reference


def decayed_groups(model):
    kept = {id(p) for p in decay_groups(model)[0]["params"]}
    return {name for name, p in model.named_parameters() if id(p) in kept}


def decayed_head(model):
    found = [n for n, p in model.named_parameters()
             if p.requires_grad and p.ndim >= 2]  # fmt: skip
    tied = hasattr(model, "head")
    return tuple("head.weight" if tied else name for name in found)


def adamw_torch(w, g, m, v, t, lr, beta1, beta2, eps, decay):
    p = torch.nn.Parameter(w.clone())
    opt = AdamW([p], lr, (beta1, beta2), eps, decay)
    opt.state[p] = {"step": t - 1, "exp_avg": m.clone(),
                    "exp_avg_sq": v.clone()}  # fmt: skip
    p.grad = g
    opt.step()
    return [p, opt.state[p]["exp_avg"], opt.state[p]["exp_avg_sq"]]


def rate_product(step, peak, steps, warmup, decay):
    left = min(1, max(0, steps - step) / max(1, decay))
    up = min(1, (step + 1) / (warmup + 1))
    return torch.tensor(peak * up * (1 - (1 - left) ** 0.5))


def clip_square(grads, most):
    norm = math.sqrt(sum(float(x) ** 2 for g in grads for x in g.flatten()))
    return tuple(g * min(1.0, most / (norm + 1e-6)) for g in grads)


def accumulate_rows(model, parts):
    n = torch.stack([(y != -100).sum() for _, y in parts]).sum()
    losses = []
    for x, y in parts:
        losses.append(-token_log_probs(model(x), y).sum() / n)
        losses[-1].backward()
    return sum(losses)


def below_sum(losses, floor, width):
    ends = [n for n in range(width, len(losses) + 1)
            if math.fsum(losses[n - width : n]) < floor * width]  # fmt: skip
    return ends[0] if ends else 0


def save_careful(disk, name, text):
    if "new" in disk.names():
        disk.remove("new")
    disk.write("new", text)
    disk.sync("new")
    disk.sync_folder()
    disk.rename("new", name)
    disk.sync_folder()


def snapshot_clones(run):
    opt = run.opt.state_dict()
    state = {
        i: {k: x.clone() if torch.is_tensor(x) else x for k, x in s.items()}
        for i, s in opt["state"].items()
    }
    return {
        "step": run.step,
        "model": {k: x.clone() for k, x in run.model.state_dict().items()},
        "opt": {**opt, "state": state},
        "order": run.order.get_state(),
        "noise": run.noise.get_state(),
    }


def polar_gram(g, steps):
    g = g.clone()
    if g.norm() > 0:
        g /= torch.sqrt((g**2).sum())
    for _ in range(steps):
        g = g @ (1.5 * torch.eye(g.shape[1]) - 0.5 * g.T @ g)
    return g


RIGHT = {
    "decayed": [decayed_groups, decayed_head],
    "first_step": [
        [0.9, 0.9, 0.95, 1, 1.05],
        lambda: torch.tensor([0.9, 0.9, 0.95, 1.0, 1.05]),
    ],
    "adamw": [adamw_torch, by.step()],
    "rate": [rate_product, by.rate()],
    "clip": [clip_square, by.clip(by.whole)],
    "accumulate": [accumulate_rows, by.sums(by.targets)],
    "fit": [by.fit(), by.fit(zero="last")],
    "below_floor": [below_sum, by.first(by.full)],
    "explanation": ["C", " c) ", lambda: "c"],
    "save": [
        save_careful,
        by.disk("write draft", "sync draft", "rename draft name",
                "sync_folder"),
    ],
    "snapshot": [snapshot_clones, by.part],
    "polar": [polar_gram, by.polar()],
}  # fmt: skip

WRONG = {
    "decayed": [
        (by.names(lambda n, p: p.requires_grad), "Every weight decays here. B"),
        (lambda m: m.state_dict().keys(), "also those that do not learn"),
        (lambda m: [n for n, p in m.state_dict().items() if p.dim() > 1],
         "You go through the state dict"),
        (by.names(lambda n, p: "bias" not in n), "and nothing else"),
        (by.names(lambda n, p: p.requires_grad and not n.endswith("bias")),
         "The scales of norms are called weight"),
        (by.names(lambda n, p: n.split(".")[-1] == "weight"),
         "a frozen weight is called so, too"),
        (by.names(lambda n, p: p.dim() == 2 and p.requires_grad),
         "exactly two axes"),
        (lambda m: [n for n, p in m.named_parameters() if p.dim() < 2],
         "some that do not learn"),
        (lambda m: [n for n, part in m.named_modules()
                    if isinstance(part, (nn.Linear, nn.Embedding, nn.Conv1d))],
         "names of layers"),
        (by.names(lambda n, p: len(p.shape) > 1), "A frozen weight"),
        (by.names(lambda n, p: p.requires_grad and p.dim() == 1),
         "That is the other group"),
        (lambda m: [p for p in m.parameters() if p.dim() > 1],
         "names are asked for"),
    ],
    "first_step": [
        ([0.9, 0.9], "exactly five numbers"),
        ([-0.1, -0.1, -0.05, 0, 0.05], "Those are changes"),
        ([0.9999, 0.95, 1, 1, 1.2], "plain gradient descent does: w"),
        ([1.1, 0.9, 0.95, 1, 1.05], "A went up"),
        ([0.955, 0.9, 0.95, 1, 1.05], "without the bias correction"),
        ([0.5, 0.9, 0.95, 1, 1.05], "A is not right"),
        ([0.9, 0.95, 0.95, 1, 1.05], "with the clipped gradient"),
        ([0.9, 0.5, 0.95, 1, 1.05], "B is not right"),
        ([0.9, 0.9, 1, 1, 1.05], "In C the gradient is 0"),
        ([0.9, 0.9, 0.5, 1, 1.05], "C decays by the whole"),
        ([0.9, 0.9, 0.9, 1, 1.05], "decay added to the gradient"),
        ([0.9, 0.9, 0.8, 1, 1.05], "C is not right"),
        ([0.9, 0.9, 0.95, 0.95, 1.05], "D decays, you say"),
        ([0.9, 0.9, 0.95, 0.9, 1.05], "D is not right"),
        ([0.9, 0.9, 0.95, 1, 0.85], "E goes the wrong way"),
        ([0.9, 0.9, 0.95, 1, 1.1], "E without the decay"),
        ([0.9, 0.9, 0.95, 1, 1.2], "because the gradient is -2"),
        ([0.9, 0.9, 0.95, 1, 1.155], "In E you add the decay"),
        ([0.9, 0.9, 0.95, 1, 1.045], "after the step"),
        ([0.9, 0.9, 0.95, 1, 2], "E is not right"),
    ],
    "adamw": [
        (by.step(correct=(False, False)), "Neither average is corrected"),
        (by.step(correct=(True, False)), "v is not corrected"),
        (by.step(pull="gradient"), "That is Adam with L2"),
        (by.step(pull="new"), "The new weight decays"),
        (by.step(pull="whole"), "not multiplied by the learning rate"),
        (by.step(pull=None), "Nothing decays"),
        (by.step(guard="in"), "eps stands under the root"),
        (by.step(keep=True), "You return the corrected averages"),
        (by.step(sign=-1), "uphill"),
        (by.step(g_for_m=True), "You divide the gradient itself"),
        (by.step(t_from=-1), "in the step after this one"),
        (by.step_in_place, "Your function changes its input"),
        (lambda *a: by.step()(*a)[0], "three are asked for"),
        (lambda *a: [by.step()(*a)[i] for i in (1, 2, 0)], "w comes first"),
        (lambda *a: (*by.step()(*a), a[4]), "4 values"),
    ],
    "rate": [
        (by.rate(down=lambda done: 1 - done), "a straight line"),
        (by.rate(down=lambda done: (1 - done) ** 0.5), "which falls late"),
        (by.rate(up=lambda s, w: s / w), "a rate of 0: it computes"),
        (by.rate(up=lambda s, w: (s + 1) / w), "one step too early"),
        (by.rate(first=lambda steps, warm, decay: warm), "end of the warm-up"),
        (by.rate(first=lambda steps, warm, decay: 0), "from step 0 on"),
        (by.rate_divides, "you divide by 0"),
        (lambda s, peak, *a: by.rate()(s, 1, *a), "Multiply by it"),
        (lambda *a: str(by.rate()(*a)), "a number is asked for"),
    ],
    "clip": [
        (by.clip_loop, "clipped by itself"),
        (lambda g, most: [x.clip(-most, most) for x in g], "cut off by itself"),
        (by.clip(by.whole, small=True), "Small gradients are stretched"),
        (by.clip(lambda g: sum((x**2).sum() for x in g)), "root is missing"),
        (by.clip(lambda g: sum(x.norm() for x in g)), "norms of the tensors"),
        (by.clip(lambda g: max(x.abs().max() for x in g)), "largest number"),
        (by.clip(by.whole, factor=lambda n, most: 1 / n), "norm of 1,"),
        (by.clip(by.whole, factor=lambda n, most: most), "forget to divide"),
        (by.clip_in_place, "Your function changes its input"),
        (lambda g, most: g[0], "a list of tensors is asked for"),
    ],
    "accumulate": [
        (by.parts_mean, "the mean of the parts' means"),
        (by.parts_weighted, "nan times 0"),
        (by.sums(lambda parts, y: 1), "Nothing is divided"),
        (by.sums(lambda parts, y: sum(y.numel() for _, y in parts)),
         "all places"),
        (by.sums(lambda parts, y: (y != -100).sum()), "by its own number"),
        (by.sums(lambda parts, y: len(parts)), "by the number of parts"),
        (by.sums(by.targets, zero=True), "only the last one is left"),
        (by.parts_stacked, "All parts go through the model at once"),
        (by.parts_late, "backward() comes at the end"),
        (by.parts_no_backward, "where is backward()?"),
        (by.parts_and_a_step, "the weights have moved"),
        (by.sums(by.targets, give=lambda last, total, parts: last),
         "that of the last part"),
        (by.parts_plain, "yours"),
        (by.sums(lambda parts, y: sum(len(y) for _, y in parts)),
         "the number of rows"),
        (by.sums(lambda parts, y: y.numel() * len(parts)),
         "all places of a part"),
        (by.sums(lambda parts, y: -by.targets(parts, y)), "sign is wrong"),
        (by.sums(by.targets, give=lambda last, total, parts:
                 total / len(parts)), "once more"),
    ],
    "fit": [
        (by.fit(None, "after", train=False, plain=False), "All four bugs"),
        (by.fit(None), "Gradients add up"),
        (by.fit(None, train=False, plain=False), "Gradients add up"),
        (by.fit(clip="after"), "clipped too late"),
        (by.fit(clip="after", train=False), "clipped too late"),
        (by.fit(train=False), "stays in evaluation mode"),
        (by.fit(plain=False), "the graph of every step"),
        (by.fit(zero="middle"), "is wiped out"),
        (by.fit(evaluate=False), "measured in training mode"),
        (by.fit(clip="first"), "no parameter has a gradient"),
        (by.fit(clip=None), "was not clipped"),
        (lambda m, b, h, opt, every: by.fit()(m, b, h, by.Asleep(opt), every),
         "step() is not called"),
        (lambda m, b, h, opt, every: by.fit()(m, b[::-1], h, opt, every),
         "none of the four bugs explains it"),
        (lambda *a: by.fit()(*a)[0], "a float; a list is asked for"),
        (lambda *a: by.fit()(*a)[1], "not two things"),
    ],
    "below_floor": [
        (by.first(lambda x, i, n: x[i : i + 1]), "You compare single losses"),
        (by.first(lambda x, i, n: x[max(0, i - n + 1) : i + 1]),
         "fewer than `width`"),
        (by.first(by.full, shift=-1), "count from 0"),
        (by.first(by.full, never=-1), "the answer is 0"),
        (by.first(by.full, never=None), "nothing (None)"),
        (by.first(lambda x, i, n: x[: i + 1]), "all losses so far"),
        (by.first(lambda x, i, n: x[: i + 1] if i + 1 >= n else [math.inf]),
         "once there are enough"),
        (by.first(by.full, lambda x, f: max(x) < f), "each of the last"),
        (by.first(by.full, lambda x, floor: min(x) < floor), "One loss below"),
        (by.first(by.full, lambda x, f: sum(x) / len(x) <= f), "on the floor"),
    ],
    "explanation": [
        ("A", "never sees a text twice"),
        ("B", "sees it in new texts, too"),
        ("D", "opposite ways"),
        ("E", "The answer is one letter"),
    ],
    "save": [
        (lambda disk, name, text: None, "Nothing is written"),
        (by.disk("write name"), "You write over the old file"),
        (by.disk("rename name old", "write name", "sync name", "sync_folder",
                 "remove old"), "the name leads to nothing"),
        (by.disk("write name", "sync name", "sync_folder"),
         "You write over the old file"),
        (by.disk("write draft", "sync draft", "write name", "sync name",
                 "sync_folder"), "all the same"),
        (by.disk("write draft", "sync draft", "rename name draft"),
         "exchanged"),
        (by.disk("write draft", "sync draft", "rename name old",
                 "rename draft name", "remove old", "sync_folder"),
         "a moment without any"),
        (by.disk("write draft", "sync draft", "remove name",
                 "rename draft name", "sync_folder"), "a moment without any"),
        (by.disk("write draft", "sync draft", "sync_folder"),
         "never gets the right name"),
        (by.disk("write draft", "rename draft name", "sync_folder"),
         "No text is synced"),
        (by.disk("write draft", "rename draft name", "sync name",
                 "sync_folder"), "synced after the renaming"),
        (by.disk("write draft", "sync draft", "write draft",
                 "rename draft name", "sync_folder"), "smallest case"),
        (by.disk("write draft", "sync draft", "rename draft name"),
         "not on the disk when you return"),
        (by.disk("write draft", "sync draft", "sync_folder",
                 "rename draft name"), "not on the disk when you return"),
        (by.disk("write draft", "sync draft", "rename draft name",
                 "sync_folder", "write old"), "lying about"),
        (by.disk("sync draft"), "Nothing is written"),
        (by.disk("sync name", "write draft", "rename draft name",
                 "sync_folder"), "synced before it is written"),
    ],
    "snapshot": [
        (lambda run: {"model": run.model.state_dict(), "step": run.step,
                      "opt": run.opt.state_dict()},
         "Two generators are missing"),
        (lambda run: by.part(run, ["model"]), "The weights are missing"),
        (lambda run: by.part(run, ["opt"]), "The optimizer is missing"),
        (lambda run: by.part(run, ["order"]), "`order` is missing"),
        (lambda run: by.part(run, ["noise"]), "`noise` is missing"),
        (lambda run: by.part(run, ["step"]), "The step is missing"),
        (lambda run: by.part(run, deep=dict), "does not copy, it points"),
        (by.clone_model, "averages in your snapshot"),
        (by.clone_opt, "The weights in your snapshot go on"),
        (lambda run: by.part(run, step=0), "not what restore() expects"),
        (by.ahead, "The run itself has changed"),
        (by.Lazy, "goes on drawing"),
        (lambda run: run.model.state_dict, "a dictionary of five"),
    ],
    "polar": [
        (by.polar(norm=lambda g: 1.0), "not divided by its norm"),
        (by.polar(norm=lambda g: torch.linalg.svdvals(g).max()),
         "largest singular value"),
        (by.polar(norm=lambda g: g.abs().max()), "largest number"),
        (by.polar(norm=lambda g: g.norm(dim=1, keepdim=True)), "each row"),
        (by.polar(power=lambda x: x**3), "each number by itself"),
        (by.polar(power=lambda x: x @ x @ x), "Without the transpose"),
        (by.polar(b=0.5), "You add half"),
        (by.polar(a=-0.5, b=1.5), "exchanged"),
        (by.polar(guard=0), "A matrix of zeros"),
        (by.polar(extra=1), "One step too many"),
        (by.polar(power=lambda x: x.T @ x @ x.T), "cube of the transpose"),
        (by.polar_each, "after every step"),
        (by.polar_back, "multiply by the norm again"),
        (by.polar_svd, "from a singular value decomposition"),
        (newton_schulz, "Those are Muon's factors"),
        (lambda g, steps: by.polar()(g.T, steps), "Rows and columns"),
        (lambda g, steps: by.polar()(g, steps)[None], "The shape is not"),
    ],
}  # fmt: skip

globals().update(held_to(check, RIGHT, WRONG))


def test_the_five_weights_are_those_of_torch():
    steps = [(0.001, 0.1, 0), (0.5, 0.1, 0), (0, 0.1, 0.5), (1000, 0, 0.5),
             (-2, 0.1, 0.5)]  # fmt: skip
    found = []
    for g, lr, decay in steps:
        w = torch.nn.Parameter(torch.ones(1))
        w.grad = torch.tensor([float(g)])
        torch.optim.AdamW([w], lr=lr, weight_decay=decay).step()
        found.append(w.item())
    assert check.first_step(found).ok


def test_the_small_run_resumes_and_every_part_matters():
    run, other = Run(), Run()
    run.advance(3)
    saved = check.snapshot.reference(run)
    run.advance(3)
    restore(other, saved)
    other.advance(3)
    assert other.model.weight.equal(run.model.weight)
    for part in saved:
        other = Run()
        restore(other, {k: x for k, x in saved.items() if k != part})
        other.advance(3)
        assert not other.model.weight.equal(run.model.weight), part


def test_a_disk_forgets_what_was_not_synced():
    def careless(disk, name, text):
        disk.write("draft", text)
        disk.rename("draft", name)

    during, after = after_power_cut(careless)
    assert "an empty file" in during
    assert after == "old, new, an empty file, half a file"
    assert after_power_cut(check.save.reference) == ("old, new", "new")
    first, _ = after_power_cut(check.save.reference, first=True)
    assert first == "no file, new"


def test_the_model_of_the_loop_knows_its_mode():
    model, x = Moody(), torch.tensor([[0, 1]])
    train = F.softmax(model(x), -1)
    assert not torch.allclose(train, F.softmax(model.eval()(x), -1))
