"""Chapter 15's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from held import held_to

from llm_utils.align.dpo import dpo_loss
from llm_utils.align.pairs import sums
from llm_utils.checks import dpo as check
from llm_utils.model.zoo import build
from llm_utils.train.packing import NO_TARGET

# -- 1: win_chance


def chance_tanh(a, b):
    return (1 + math.tanh((a - b) / 2)) / 2


def chance_tensor(a, b):
    return torch.sigmoid(torch.tensor(a - b, dtype=torch.float64))


def chance_of_strengths(a, b):
    return math.exp(a) / (math.exp(a) + math.exp(b))


def chance_half_stable(a, b):
    return 1 / (1 + math.exp(b - a))


# -- 3: dpo_losses


def losses_softplus(pc, pr, rc, rr, beta):
    return F.softplus(-beta * ((pc - rc) - (pr - rr)))


def losses_loop(pc, pr, rc, rr, beta):
    margins = [
        beta * ((a - c) - (b - d))
        for a, b, c, d in zip(pc, pr, rc, rr, strict=True)
    ]
    return [float(np.logaddexp(0.0, -float(margin))) for margin in margins]


def losses_careless(pc, pr, rc, rr, beta):
    return -torch.log(torch.sigmoid((beta * (pc - rc - pr + rr)).float()))


def losses_wrong_sign(pc, pr, rc, rr, beta):
    return F.softplus(beta * ((pc - rc) - (pr - rr)))


# -- 4: answer_nats


def nats_gather(logits, ids, n_prompt):
    logs = logits[:-1].log_softmax(-1).gather(1, ids[1:, None])[:, 0]
    return logs[n_prompt - 1 :].sum()


def nats_loss(logits, ids, n_prompt):
    rows = logits[n_prompt - 1 : -1]
    return -F.cross_entropy(rows, ids[n_prompt:], reduction="sum").item()


def nats_broken(logits, ids, n_prompt):
    logs = logits.log_softmax(-1)
    found = [float(logs[t, ids[t]]) for t in range(1, len(ids))]
    return sum(found) / len(found)


def nats_left(logits, ids, n_prompt):
    logs = logits.log_softmax(-1)
    found = [float(logs[t - 1, ids[t]]) for t in range(1, len(ids))]
    return sum(found) / len(found)


def nats_of_prompt(logits, ids, n_prompt):
    return -F.cross_entropy(logits[:-1], ids[1:], reduction="sum").item()


def nats_late(logits, ids, n_prompt):
    return nats_gather(logits, ids, n_prompt + 1)


def nats_endless(logits, ids, n_prompt):
    return nats_gather(logits[:-1], ids[:-1], n_prompt)


def nats_scores(logits, ids, n_prompt):
    return sum(logits[t - 1, ids[t]] for t in range(n_prompt, len(ids)))


# -- 5: pairs_of


def pairs_set(answers, scores):
    told = list(zip(answers, scores, strict=True))
    return {(x, y) for x, a in told for y, b in told if a > b}


def pairs_loop(answers, scores):
    found = []
    for i, a in enumerate(scores):
        for j, b in enumerate(scores):
            pair = [answers[i], answers[j]]
            if a > b and pair not in found:
                found.append(pair)
    return found


def pairs_twice(answers, scores):
    told = list(zip(answers, scores, strict=True))
    return [(x, y) for x, a in told for y, b in told if a > b]


def pairs_ties(answers, scores):
    n, found = len(scores), {}
    for i in range(n):
        for j in range(i + 1, n):
            k, m = (j, i) if scores[j] > scores[i] else (i, j)
            found[answers[k], answers[m]] = None
    return list(found)


def pairs_extremes(answers, scores):
    if max(scores) == min(scores):
        return []
    best = [x for x, a in zip(answers, scores, strict=True) if a == max(scores)]
    last = [x for x, a in zip(answers, scores, strict=True) if a == min(scores)]
    return list({(x, y) for x in best for y in last})


def pairs_next(answers, scores):
    found = []
    for i in range(len(scores) - 1):
        if scores[i] > scores[i + 1]:
            found.append((answers[i], answers[i + 1]))
        if scores[i] < scores[i + 1]:
            found.append((answers[i + 1], answers[i]))
    return found


def pairs_as_drawn(answers, scores):
    n = len(scores)
    return list({
        (answers[i], answers[j])
        for i in range(n) for j in range(i + 1, n) if scores[i] != scores[j]
    })  # fmt: skip


# -- 6: tilted


def tilted_logs(ref, rewards, beta):
    return (ref.log() + rewards / beta).softmax(0)


def tilted_loop(ref, rewards, beta):
    top = max(rewards.tolist())
    w = [
        p * math.exp((r - top) / beta)
        for p, r in zip(ref.tolist(), rewards.tolist(), strict=True)
    ]
    return [x / sum(w) for x in w]


# -- 8: strengths


def strengths_newton(wins):
    r = torch.zeros(len(wins), dtype=torch.float64, requires_grad=True)
    opt = torch.optim.LBFGS([r], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = -(wins * F.logsigmoid(r[:, None] - r)).sum()
        loss.backward()
        return loss

    for _ in range(5):
        opt.step(closure)
    return (r - r.mean()).detach()


def strengths_zermelo(wins):
    w = wins.numpy()
    p = np.ones(len(w))
    for _ in range(2000):
        for i in range(len(w)):
            games = w[i] + w[:, i]
            p[i] = w[i].sum() / (games / (p[i] + p)).sum()
        p /= np.exp(np.log(p).mean())
    return np.log(p)


def strengths_by_gradient(wins, steps=2, turned=False):
    r = torch.zeros(len(wins)).double()
    for _ in range(steps):
        p = torch.sigmoid(r[:, None] - r)
        games = wins + wins.T
        r = r + 0.02 * (wins - games * p).sum(1)
    return r - r.mean()


def strengths_of_shares(wins):
    share = wins.sum(1) / (wins.sum(1) + wins.sum(0))
    r = torch.logit(share)
    return r - r.mean()


RIGHT = {
    "win_chance": [chance_tanh, chance_tensor],
    "by_hand": [
        [0.693, 0.3, 0.574, 0.0426, 22],
        lambda: {"A": 0.69, "B": 0.3, "C": 0.57, "D": 0.043, "E": 21.97},
    ],
    "dpo_losses": [losses_softplus, losses_loop],
    "answer_nats": [nats_gather, nats_loss],
    "pairs_of": [pairs_set, pairs_loop],
    "tilted": [tilted_logs, tilted_loop],
    "explanation": ["C", " c) ", lambda: "c"],
    "strengths": [strengths_newton, strengths_zermelo],
}
WRONG = {
    "win_chance": [
        (lambda a, b: chance_tanh(b, a), "the other answer"),
        (lambda a, b: a / (a + b) if a + b else 0.5, "may be negative"),
        (lambda a, b: F.logsigmoid(torch.tensor(a - b).double()),
         "logarithm of the chance"),
        (chance_of_strengths, "Only the difference a - b"),
        (chance_half_stable, "large and negative"),
    ],
    "by_hand": [
        ([0, 0.3, 0.574, 0.0426, 21.97], "A is not 0"),
        ([1, 0.3, 0.574, 0.0426, 21.97], "base 2"),
        ([0.693, 3, 0.574, 0.0426, 21.97], "B forgets beta"),
        ([0.693, 0.5, 0.574, 0.0426, 21.97], "B adds"),
        ([0.693, 0.3, 0.554, 0.0426, 21.97], "C is the loss"),
        ([0.693, 0.3, 0.426, 0.0426, 21.97], "*rejected*"),
        ([0.693, 0.3, 0.574, 0.4256, 21.97], "D is the error alone"),
        ([0.693, 0.3, 0.574, 0.0426, 2.197], "E is the margin"),
        ([0.1, 0.3, 0.574, 0.0426, 21.97], "A is not right"),
        ([0.693, 0.7, 0.574, 0.0426, 21.97], "B is not right"),
        ([0.693, 0.3, 0.9, 0.0426, 21.97], "C is not right"),
        ([0.693, 0.3, 0.574, 0.1, 21.97], "D is not right"),
        ([0.693, 0.3, 0.574, 0.0426, 9], "E is not right"),
        ([0.693, 0.3], "exactly five numbers"),
    ],
    "dpo_losses": [
        (losses_wrong_sign, "sign of the margin"),
        (lambda *x: losses_softplus(*x[:4], 1.0), "beta is missing"),
        (lambda pc, pr, rc, rr, beta: F.softplus(
            -(beta * (pc - pr) - (rc - rr))), "the model's part only"),
        (lambda pc, pr, rc, rr, beta: F.softplus(-beta * (pc - pr)),
         "reference is missing"),
        (lambda pc, pr, rc, rr, beta: F.softplus(
            -beta * (pc + rc - pr - rr)), "reference is added"),
        (lambda *x: -torch.exp(-losses_softplus(*x)), "the chance itself"),
        (lambda *x: losses_softplus(*x).mean(), "one number"),
        (lambda *x: -torch.log(torch.exp(-losses_softplus(*x))),
         "infinite or no number"),
        (lambda *x: losses_softplus(*x)[None], "The shape"),
    ],
    "answer_nats": [
        (nats_broken, "still as they were"),
        (lambda logits, ids, n: sum(
            float(logits.log_softmax(-1)[t, ids[t]])
            for t in range(n, len(ids))), "predict the token at t + 1"),
        (nats_of_prompt, "prompt is counted as well"),
        (lambda logits, ids, n: nats_gather(logits, ids, n) / (len(ids) - n),
         "mean for each token"),
        (nats_late, "first token of the answer"),
        (nats_endless, "last token is missing"),
        (nats_scores, "log_softmax first"),
        (nats_left, "two lines are left"),
    ],
    "pairs_of": [
        (lambda a, s: [(y, x) for x, y in pairs_set(a, s)], "Turned round"),
        (pairs_ties, "equal scores"),
        (pairs_twice, "comes twice"),
        (pairs_as_drawn, "drawn first"),
        (pairs_extremes, "best against the worst"),
        (pairs_next, "neighbors only"),
    ],
    "tilted": [
        (lambda ref, r, beta: (ref.log() + beta * r).softmax(0),
         "multiply by beta"),
        (lambda ref, r, beta: (r / beta).softmax(0), "reference is missing"),
        (lambda ref, r, beta: ref * torch.exp(r / beta), "do not sum to 1"),
        (lambda ref, r, beta: (ref.log() - r / beta).softmax(0),
         "sign is turned"),
        (lambda ref, r, beta: (ref + (r / beta).softmax(0)) / 2,
         "mean of two policies"),
        (lambda ref, r, beta: (w := ref * torch.exp(r / beta)) / w.sum(),
         "exp overflows"),
        (lambda ref, r, beta: tilted_logs(ref, r, beta)[None], "The shape"),
    ],
    "explanation": [
        ("A", "A cannot be it"),
        ("b", "B would be seen"),
        ("D", "D is not so"),
        ("E", "The answer is one letter"),
    ],
    "strengths": [
        (strengths_of_shares, "whoever it was against"),
        (lambda wins: strengths_newton(wins.T), "order is turned"),
        (lambda wins: strengths_newton(wins).exp(), "Those are strengths"),
        (lambda wins: strengths_newton(wins) + 1, "zero point"),
        (strengths_by_gradient, "not come to its end"),
        (lambda wins: strengths_newton(wins)[:-1], "The shape"),
    ],
}  # fmt: skip

globals().update(held_to(check, RIGHT, WRONG))


def test_the_losses_are_the_packages():
    for *logs, beta in check.dpo_losses.cases:
        loss, margins = dpo_loss(*logs, beta)
        theirs = check.dpo_losses.reference(*logs, beta)
        assert float(theirs.mean()) == pytest.approx(float(loss))
        assert margins.shape == theirs.shape


def test_the_nats_are_the_packages():
    model = build("tiny-llama", torch.Generator().manual_seed(0)).double()
    ids = torch.tensor([1, 4, 2, 8, 5, 7])
    logits = model(ids[None])[0].detach()
    y = ids[None, 1:].clone()
    y[:, :2] = NO_TARGET
    ours = check.answer_nats.reference(logits, ids, 3)
    theirs = sums(model, ids[None, :-1], y)
    assert ours == pytest.approx(float(theirs.detach()))
