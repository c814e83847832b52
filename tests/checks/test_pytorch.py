"""Appendix B's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import numpy as np
import torch
import torch.nn.functional as F
from held import held_to

from llm_utils.checks import pytorch as check

# -- 2: one_hot


def hot_compare(ids, V):
    return ids.unsqueeze(-1) == torch.arange(V)


def hot_loop(ids, V):
    rows = np.zeros((len(ids), V))
    for t, i in enumerate(ids.tolist()):
        rows[t, i] = 1
    return rows


def hot_swapped(ids, V):
    return (torch.arange(V)[:, None] == ids).float()


def hot_from_one(ids, V):
    out = torch.zeros(len(ids), V)
    for t, i in enumerate(ids.tolist()):
        if i > 0:
            out[t, i - 1] = 1
    return out


def hot_up_to(ids, V):
    return torch.stack([(torch.arange(V) <= i).float() for i in ids])


def hot_inverted(ids, V):
    return torch.ones(len(ids), V) - F.one_hot(ids, V)


def hot_counts(ids, V):
    return torch.bincount(ids, minlength=V)


def hot_column(ids, V):
    return F.one_hot(ids, V)[:, None]


# -- 3: masked_mean


def mean_fill(x, mask):
    return x.masked_fill(~mask, 0).sum(1) / mask.sum(1)


def mean_rows(x, mask):
    return [row[keep].mean() for row, keep in zip(x, mask, strict=True)]


def mean_zeros(x, mask):
    return torch.where(mask, x, 0.0).mean(1)


def mean_left_out(x, mask):
    rest = ~mask
    return (x * rest).sum(1) / rest.sum(1).clamp(min=1)


def mean_all(x, mask):
    return x[mask].sum() / mask.sum()


def mean_batch(x, mask):
    return (x * mask).sum(0) / mask.sum(0).clamp(min=1)


def mean_sum(x, mask):
    return x.masked_fill(~mask, 0).sum(1)


def mean_no_mask(x, mask):
    return x.mean(1)


def mean_kept(x, mask):
    return (x * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)


# -- 4: heads


def heads_permute(x, n):
    T, C = x.shape
    return x.view(T, n, C // n).permute(1, 0, 2)


def heads_chunks(x, n):
    return list(x.chunk(n, dim=1))


def heads_view(x, n):
    T, C = x.shape
    return x.view(n, T, C // n)


def heads_behind(x, n):
    T, C = x.shape
    return x.view(T, n, C // n)


def heads_strided(x, n):
    return torch.stack([x[:, h::n] for h in range(n)])


def heads_turned(x, n):
    return torch.stack(x.chunk(n, dim=1)).mT


def heads_batch(x, n):
    return torch.stack(x.chunk(n, dim=1))[None]


# -- 5: fit


def fit_autograd(x, y, steps):
    w = torch.zeros((), requires_grad=True)
    for _ in range(steps):
        ((w * x - y) ** 2).mean().backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
    return w


def fit_sgd(x, y, steps):
    w = torch.nn.Parameter(torch.tensor(0.0))
    opt = torch.optim.SGD([w], lr=0.1)
    for _ in range(steps):
        opt.zero_grad()
        F.mse_loss(w * x, y).backward()
        opt.step()
    return w.item()


def fit_piled(x, y, steps):
    w = torch.zeros((), requires_grad=True)
    for _ in range(steps):
        ((w * x - y) ** 2).mean().backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
    return w


def fit_climbs(x, y, steps):
    w = torch.zeros((), requires_grad=True)
    for _ in range(steps):
        (g,) = torch.autograd.grad(((w * x - y) ** 2).mean(), w)
        w = (w + 0.1 * g).detach().requires_grad_()
    return w


def fit_sum(x, y, steps):
    w = torch.zeros((), requires_grad=True)
    for _ in range(steps):
        (g,) = torch.autograd.grad(((w * x - y) ** 2).sum(), w)
        w = (w - 0.1 * g).detach().requires_grad_()
    return w


def fit_short(x, y, steps):
    return fit_sgd(x, y, steps - 1)


def fit_long(x, y, steps):
    return fit_sgd(x, y, steps + 1)


def fit_still(x, y, steps):
    start = torch.zeros((), requires_grad=True)
    for _ in range(steps):
        ((start * x - y) ** 2).mean().backward()
        w = start - 0.1 * start.grad  # noqa: F841
        start.grad = None
    return start


# -- 6: scores


def scores_matmul(q, k):
    return q.transpose(1, 2) @ k.permute(0, 2, 3, 1)


def scores_letters(q, k):
    return torch.einsum("xthd,xshd->xhts", q, k)


def scores_swapped(q, k):
    return torch.einsum("bthd,bshd->bhst", q, k)


def scores_all_heads(q, k):
    flat = torch.einsum("bthd,bshd->bts", q, k)
    return torch.stack([flat] * q.shape[2], 1)


def scores_last(q, k):
    return torch.einsum("bthd,bshd->btsh", q, k)


def scores_scaled(q, k):
    return scores_matmul(q, k) * q.shape[-1] ** -0.5


def scores_one_batch(q, k):
    return scores_matmul(q, k).sum(0)


def scores_products(q, k):
    return torch.einsum("bthd,bshd->bhtsd", q, k)


RIGHT = {
    "shapes": [[12, 4, 24, 25, 4], torch.tensor([12, 4, 24, 25, 4])],
    "one_hot": [hot_compare, hot_loop],
    "masked_mean": [mean_fill, mean_rows],
    "heads": [heads_permute, heads_chunks],
    "fit": [fit_autograd, fit_sgd],
    "scores": [scores_matmul, scores_letters],
    "explanation": ["C", " c "],
}

WRONG = {
    "shapes": [
        ([2, 4, 24, 25, 4], "A is the size of the axis"),
        ([96, 4, 24, 25, 4], "Strides count numbers"),
        ([1, 4, 24, 25, 4], "the stride of another axis"),
        ([24, 4, 24, 25, 4], "A is not right"),
        ([12, 2, 24, 25, 4], "B is not right"),
        ([12, 4, 72, 25, 4], "In C nothing grows"),
        ([12, 4, 24, 5, 4], "(5, 1) both axes grow"),
        ([12, 4, 24, 10, 4], "D is not right"),
        ([12, 4, 24, 25, 24], "In E the mask leaves the shape"),
        ([12, 4, 24, 25, 3], "E is not right"),
        ([12, 4, 24], "exactly five numbers"),
    ],
    "one_hot": [
        (hot_swapped, "Rows and columns are swapped"),
        (hot_from_one, "count from 1"),
        (hot_up_to, "ones up to the id"),
        (hot_inverted, "the wrong way round"),
        (hot_counts, "a row for each id"),
        (hot_column, "The shape is not"),
    ],
    "masked_mean": [
        (mean_zeros, "divide by all T places"),
        (mean_left_out, "True means: counts"),
        (mean_all, "one mean over the whole table"),
        (mean_batch, "average over the batch"),
        (mean_sum, "That is the sum"),
        (mean_no_mask, "The mask is not used"),
        (mean_kept, "The shape is not"),
    ],
    "heads": [
        (heads_view, "it mixes positions"),
        (heads_behind, "The transpose is missing"),
        (heads_strided, "every n-th number"),
        (heads_turned, "the wrong way round"),
        (heads_batch, "The shape is not"),
    ],
    "fit": [
        (fit_piled, "Gradients pile up"),
        (fit_climbs, "You climb"),
        (fit_sum, "take their mean"),
        (fit_short, "One step too few"),
        (fit_long, "One step too many"),
        (fit_still, "has not moved"),
    ],
    "scores": [
        (scores_swapped, "Queries and keys are swapped"),
        (scores_all_heads, "The heads are summed over"),
        (scores_last, "The heads stand last"),
        (scores_scaled, "Divided by the root of D"),
        (scores_one_batch, "The batch is summed over"),
        (scores_products, "The shape is not"),
    ],
    "explanation": [
        ("A", "cuts the graph"),
        ("B", "The graph ends before that"),
        ("D", "Only between backward and step"),
        ("E", "The answer is one letter"),
    ],
}

globals().update(held_to(check, RIGHT, WRONG))
