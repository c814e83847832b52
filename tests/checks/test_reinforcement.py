"""Chapter 16's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from held import held_to

from llm_utils.align.rl import (
    by_token,
    group_advantages,
    grpo_loss,
    kl_estimate,
)
from llm_utils.checks import reinforcement as check

# -- 1: policy_gradient


def gradient_loop(p, r):
    J = sum(float(a) * float(b) for a, b in zip(p, r, strict=True))
    return [float(a) * (float(b) - J) for a, b in zip(p, r, strict=True)]


def gradient_by_torch(p, r):
    z = p.log().requires_grad_()
    return torch.autograd.grad((z.softmax(0) * r).sum(), z)[0]


# -- 3: advantages


def advantages_numpy(rewards):
    r = rewards.numpy()
    center = r - r.mean(1, keepdims=True)
    return center / (r.std(1, ddof=1, keepdims=True) + 1e-8)


def advantages_rows(rewards):
    return [(row - row.mean()) / (row.std() + 1e-4) for row in rewards]


# -- 4: clip_loss


def clip_loop(now, old, mask, A):
    means = []
    for i in range(len(A)):
        found = []
        for t in range(now.shape[1]):
            if mask[i, t]:
                ratio = float((now[i, t] - old[i, t]).exp())
                kept = min(max(ratio, 0.8), 1.2)
                found.append(-min(ratio * float(A[i]), kept * float(A[i])))
        means.append(sum(found) / len(found))
    return sum(means) / len(means)


def clip_package(now, old, mask, A):
    return grpo_loss(now, old, mask, A).loss


def clip_parts(now, old, mask, A, choose=torch.minimum, flip=False):
    ratio = torch.exp(old - now if flip else now - old)
    return -choose(ratio * A[:, None], ratio.clamp(0.8, 1.2) * A[:, None])


def clip_broken(now, old, mask, A):
    return clip_parts(now, old, mask, A, torch.maximum, flip=True).mean()


def per_answer(x, mask):
    return ((x * mask).sum(1) / mask.sum(1)).mean()


# -- 5: kl_per_token


def kl_package(now, ref, mask):
    return by_token(kl_estimate(now, ref), mask)


def kl_loop(now, ref, mask):
    found = []
    for a, b, m in zip(
        now.flatten(), ref.flatten(), mask.flatten(), strict=True
    ):
        if m:
            found.append(float(torch.exp(b - a) - 1 + a - b))
    return np.mean(found)


def k3(gap):
    return gap.exp() - gap - 1


# -- 6: strict_reward


def bare(text):
    return "".join(c for c in text.lower() if c.isalpha() or c == " ").strip()


def strict_words(said, right, ended):
    return 1.0 if ended and bare(said) == bare(right) else 0.0


def strict_bool(said, right, ended):
    return ended and said.lower().split(".")[0].split() == right.lower(
    ).split(".")[0].split() and said.count(".") <= 1  # fmt: skip


# -- 8: best_baseline


def best_by_search(p, r, sizes):
    def noise(b):
        return (p * (r - b) ** 2 * sizes**2).sum()

    low, high = -20.0, 20.0
    for _ in range(200):
        third = (high - low) / 3
        if noise(low + third) < noise(high - third):
            high -= third
        else:
            low += third
    return (low + high) / 2


def best_plain(p, r, sizes):
    w = p * sizes**2
    return float(w @ r / w.sum())


RIGHT = {
    "policy_gradient": [gradient_loop, gradient_by_torch],
    "by_hand": [
        [1.5, -0.5, 1, -1.8, 0.75],
        lambda: {"A": 1.5, "B": -0.5, "C": 1.0, "D": -1.8, "E": 0.75},
    ],
    "advantages": [advantages_numpy, advantages_rows, group_advantages],
    "clip_loss": [clip_loop, clip_package],
    "kl_per_token": [kl_package, kl_loop],
    "strict_reward": [strict_words, strict_bool],
    "explanation": ["B", lambda: "b"],
    "best_baseline": [best_by_search, best_plain],
}
WRONG = {
    "policy_gradient": [
        (lambda p, r: p * r, "mean reward is missing"),
        (lambda p, r: r - (p * r).sum(), "That is the advantage"),
        (lambda p, r: p * (r - r.mean()), "mean is that of the list"),
        (lambda p, r: [-x for x in gradient_loop(p, r)], "sign is turned"),
        (lambda p, r: r, "by the probability itself"),
        (lambda p, r: p * (1 - p) * r, "took nothing from"),
        (lambda p, r: gradient_by_torch(p, r)[None], "The shape"),
    ],
    "by_hand": [
        ([1.732, -0.5, 1, -1.8, 0.75], "deviation with G"),
        ([0.75, -0.5, 1, -1.8, 0.75], "not divided"),
        ([1.0, -0.5, 1, -1.8, 0.75], "reward itself"),
        ([1.5, 0.5, 1, -1.8, 0.75], "B has no sign"),
        ([1.5, 0, 1, -1.8, 0.75], "pushed down"),
        ([1.5, -0.5, 0.75, -1.8, 0.75], "Leave the answer itself out"),
        ([1.5, -0.5, 1, -2.25, 0.75], "D is not clipped"),
        ([1.5, -0.5, 1, 1.8, 0.75], "D is the objective"),
        ([1.5, -0.5, 1, -1.8, 0.6], "E is clipped"),
        ([1.5, -0.5, 1, -1.8, -0.75], "E is the objective"),
        ([9, -0.5, 1, -1.8, 0.75], "A is not right"),
        ([1.5, 9, 1, -1.8, 0.75], "B is not right"),
        ([1.5, -0.5, 9, -1.8, 0.75], "C is not right"),
        ([1.5, -0.5, 1, 9, 0.75], "D is not right"),
        ([1.5, -0.5, 1, -1.8, 9], "E is not right"),
        ([1.5, -0.5], "exactly five numbers"),
    ],
    "advantages": [
        (lambda r: (r - r.mean()) / (r.std() + 1e-4), "whole batch"),
        (lambda r: (r - r.mean(0)) / (r.std(0) + 1e-4), "down the columns"),
        (lambda r: (r - r.mean(1, True)) / r.std(1, keepdim=True), "0 / 0"),
        (lambda r: (r - r.mean(1, True))
         / (r.std(1, False, keepdim=True) + 1e-4), "G below the sum"),
        (lambda r: r - r.mean(1, keepdim=True), "deviation of the group as"),
        (lambda r: (r - r.mean(1, True)) / (r.var(1, keepdim=True) + 1e-4),
         "the variance"),
        (lambda r: r / (r.std(1, keepdim=True) + 1e-4), "not taken off"),
        (lambda r: -group_advantages(r), "sign is turned"),
        (lambda r: group_advantages(r).flatten(), "The shape"),
    ],
    "clip_loss": [
        (clip_broken, "still as they were"),
        (lambda n, o, m, A: per_answer(clip_parts(n, o, m, A, flip=True), m),
         "upside down: what"),
        (lambda n, o, m, A: per_answer(
            clip_parts(n, o, m, A, torch.maximum), m), "wrong side: it"),
        (lambda n, o, m, A: clip_parts(n, o, m, A).mean(), "mask is not used:"),
        (lambda n, o, m, A: clip_parts(n, o, m, A)[m].mean(),
         "mean over tokens"),
        (lambda n, o, m, A: (clip_parts(n, o, m, A) * m).sum(1).mean(),
         "sum over the tokens"),
        (lambda n, o, m, A: -clip_loop(n, o, m, A), "sign is turned"),
        (lambda n, o, m, A: clip_loop(n, n, m, A), "detached copy"),
        (lambda n, o, m, A: clip_parts(n, o, m, A, flip=True).mean(),
         "upside down, and the mask"),
        (lambda n, o, m, A: clip_parts(n, o, m, A, torch.maximum).mean(),
         "not used, and the wrong side"),
        (lambda n, o, m, A: per_answer(clip_parts(
            n, o, m, A, torch.maximum, flip=True), m),
         "upside down, and the wrong side"),
    ],
    "kl_per_token": [
        (lambda n, r, m: k3(n - r)[m].mean(), "direction is turned"),
        (lambda n, r, m: (n - r)[m].mean(), "plain estimate"),
        (lambda n, r, m: ((n - r)[m] ** 2 / 2).mean(), "half the square"),
        (lambda n, r, m: ((r - n)[m].exp() - 1).mean(), "delta is missing"),
        (lambda n, r, m: k3(r - n).mean(), "mask is not used"),
        (lambda n, r, m: per_answer(k3(r - n), m), "mean over answers"),
        (lambda n, r, m: (k3(r - n) * m).sum(1).mean(), "per answer"),
    ],
    "strict_reward": [
        (lambda s, r, e: float(e and bare(r) in bare(s)), "lists all names"),
        (lambda s, r, e: float(bare(r) in bare(s)), "never ended, too"),
        (lambda s, r, e: float(e and bare(s).startswith(bare(r))), "go on"),
        (lambda s, r, e: float(bare(s) == bare(r)), "cut off is paid"),
        (lambda s, r, e: float(e and s == r), "Too strict"),
        (lambda s, r, e: float(e and bare(s) in bare(r)), "empty answer"),
    ],
    "explanation": [
        ("A", "A cannot be it"),
        ("c", "C is not so"),
        ("D", "D mixes things up"),
        ("E", "The answer is one letter"),
    ],
    "best_baseline": [
        (lambda p, r, s: p @ r, "mean reward"),
        (lambda p, r, s: (p * s * r).sum() / (p * s).sum(), "square them"),
        (lambda p, r, s: (p * s**2 * r).sum(), "do not sum to 1"),
        (lambda p, r, s: (s**2 * r).sum() / (s**2).sum(), "weigh by p"),
        (lambda p, r, s: r.mean(), "plain mean"),
    ],
}  # fmt: skip

globals().update(held_to(check, RIGHT, WRONG))


def test_the_loss_is_the_packages() -> None:
    for case in check.clip_loss.cases:
        theirs = check.clip_loss.reference(*case)
        assert theirs == pytest.approx(float(grpo_loss(*case).loss))


def test_the_advantages_are_the_packages() -> None:
    for (rewards,) in check.advantages.cases:
        theirs = check.advantages.reference(rewards)
        torch.testing.assert_close(theirs, group_advantages(rewards))
