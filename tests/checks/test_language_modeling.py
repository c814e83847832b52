"""Chapter 2's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from held import held_to

from llm_utils.checks import language_modeling as check
from llm_utils.text.next_token import next_token_loss, windows

# -- 1: log_prob


def log_prob_loop(probs):
    total = 0.0
    for p in probs:
        total += math.log(p)
    return total


def log_prob_torch(probs):
    return torch.tensor(probs).log().sum()


def log_prob_product(probs):
    product = 1.0
    for p in probs:
        product = product * p
    return math.log(product)


def log_prob_tensor_product(probs):
    return torch.tensor(probs).prod().log()


def log_prob_returns_early(probs):
    total = 0.0
    for p in probs:
        total += math.log(p)
        return total


def log_prob_plus_one(probs):
    return sum(math.log(p + 1) for p in probs)


# -- 3: loss


def loss_torch(logits, ids):
    return F.cross_entropy(logits[:-1], ids[1:])


def loss_loop(logits, ids):
    total = 0.0
    for t in range(len(ids) - 1):
        row = [math.exp(x) for x in logits[t].tolist()]
        total -= math.log(row[ids[t + 1]] / sum(row))
    return total / (len(ids) - 1)


def loss_batched(logits, ids):
    return next_token_loss(logits[None, :-1], ids[None, 1:])


def loss_unshifted(logits, ids):
    return F.cross_entropy(logits, ids)


def loss_one_fewer(logits, ids):
    return F.cross_entropy(logits[:-1], ids[:-1])


def loss_backwards(logits, ids):
    return F.cross_entropy(logits[1:], ids[:-1])


def loss_twice(logits, ids):
    return loss_torch(logits[:-1], ids[1:])


def loss_rolled(logits, ids):
    return F.cross_entropy(logits, torch.roll(ids, -1))


def loss_positions(logits, ids):
    log_probs = logits[:-1].log_softmax(0)
    return -log_probs.gather(1, ids[1:, None]).mean()


def loss_raw(logits, ids):
    return -logits[:-1].gather(-1, ids[1:, None]).mean()


def loss_late_log(logits, ids):
    probs = logits[:-1].softmax(-1).gather(-1, ids[1:, None])
    return -probs.mean().log()


def chosen(logits, ids):
    return logits[:-1].softmax(-1).gather(-1, ids[1:, None])


def loss_not_indexed(logits, ids):
    return -logits[:-1].log_softmax(-1)[ids[1:]].mean()


# -- 4: mixed


def mixed_loop(counts, lam):
    V, total = len(counts), counts.sum().item()
    table = torch.zeros(V, V)
    for a in range(V):
        n = counts[a].sum().item()
        for b in range(V):
            alone = counts[:, b].sum().item() / total
            pair = counts[a, b].item() / n if n else alone
            table[a, b] = lam * pair + (1 - lam) * alone
    return table


def mixed_lists(counts, lam):
    return mixed_loop(counts, lam).tolist()


def mixed_nan(counts, lam):
    pairs = counts / counts.sum(1, keepdim=True)
    return lam * pairs + (1 - lam) * counts.sum(0) / counts.sum()


def mixed_clamped(counts, lam):
    pairs = counts / counts.sum(1, keepdim=True).clamp(min=1)
    return lam * pairs + (1 - lam) * counts.sum(0) / counts.sum()


def mixed_with(alone, unseen=None):
    """The right mixture with another p(b), or another row for the unseen."""

    def mixed(counts, lam):
        n = counts.sum(1, keepdim=True)
        other = alone(counts)
        never = other if unseen is None else unseen(counts)
        return lam * torch.where(n > 0, counts / n, never) + (1 - lam) * other

    return mixed


def next_share(counts):
    return counts.sum(0) / counts.sum()


def uniform(counts):
    return torch.full((len(counts),), 1 / len(counts))


def mixed_columns(counts, lam):
    columns = torch.nan_to_num(counts / counts.sum(0))
    return lam * columns + (1 - lam) * next_share(counts)


def mixed_counts(counts, lam):
    return lam * counts + (1 - lam) * counts.sum(0)


def mixed_keepdim_forgotten(counts, lam):
    pairs = torch.nan_to_num(counts / counts.sum(1))
    return lam * pairs + (1 - lam) * next_share(counts)


def mixed_of_all(counts, lam):
    return lam * counts / counts.sum() + (1 - lam) * next_share(counts)


def mixed_lam_twice(counts, lam):
    pairs = mixed_loop(counts, 1)
    return lam * pairs + lam * next_share(counts)


def mixed_whole(counts, lam):
    table, good = torch.zeros_like(counts), mixed_loop(counts, lam)
    for a in range(len(counts)):
        table[a] = good[a]
    return table


def mixed_in_place(counts, lam):
    good = mixed_loop(counts, lam)
    counts += 1
    return good


# -- 5: bits_per_byte


def bits_numpy(mean_nats, n_tokens, text):
    return np.float64(mean_nats) * n_tokens / np.log(2) / len(text.encode())


# -- 6: kl


def kl_torch(often, p, q):
    return (often[:, None] * F.kl_div(q.log(), p, reduction="none")).sum()


def kl_loop(often, p, q):
    total = 0.0
    for a in range(len(p)):
        for b in range(len(p)):
            if p[a, b] > 0:
                ratio = p[a, b] / q[a, b]
                total += often[a] * p[a, b] * ratio.log()
    return total


def kl_terms(p, q):
    return torch.where(p > 0, p * (p / q).log(), 0.0)


def kl_reversed(often, p, q):
    return kl_torch(often, q, p)


def kl_cross(often, p, q):
    terms = torch.where(p > 0, -p * q.log(), 0.0)
    return often @ terms.sum(-1)


def kl_hidden(often, p, q):
    return (often[:, None] * p * ((p + 1e-9) / (q + 1e-9)).log()).sum()


# -- 7: table_grad


def grad_autograd(W, x, y):
    W = W.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(W[x], y), W)[0]


def grad_loop(W, x, y):
    grad = np.zeros(tuple(W.shape))
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        row = np.exp(W[a].numpy())
        grad[a] += row / row.sum() / len(x)
        grad[a, b] -= 1 / len(x)
    return grad


def grad_errors(W, x, y):
    errors = W[x].softmax(-1)
    errors[torch.arange(len(x)), y] -= 1
    return errors


def grad_lost(W, x, y):
    grad = torch.zeros_like(W)
    for i, error in enumerate(grad_errors(W, x, y) / len(x)):
        grad[x[i]] = error
    return grad


def grad_sum(W, x, y):
    return torch.zeros_like(W).index_add(0, x, grad_errors(W, x, y))


def grad_no_target(W, x, y):
    return torch.zeros_like(W).index_add(0, x, W[x].softmax(-1) / len(x))


def grad_by_row(W, x, y):
    n = torch.tensor([max(1, int((x == a).sum())) for a in range(len(W))])
    return grad_sum(W, x, y) / n[:, None]


def grad_only_target(W, x, y):
    grad = torch.zeros_like(W)
    for i, error in enumerate(grad_errors(W, x, y) / len(x)):
        grad[x[i], y[i]] += error[y[i]]
    return grad


def grad_logits(W, x, y):
    errors = W[x] - F.one_hot(y, len(W))
    return torch.zeros_like(W).index_add(0, x, errors / len(x))


def grad_positions(W, x, y):
    errors = W[x].softmax(0) - F.one_hot(y, len(W))
    return torch.zeros_like(W).index_add(0, x, errors / len(x))


def grad_errors_with(change):
    """The errors with a slip where the 1 is taken off."""

    def table_grad(W, x, y):
        errors = W[x].softmax(-1)
        change(errors, torch.arange(len(x)), y)
        return torch.zeros_like(W).index_add(0, x, errors / len(x))

    return table_grad


def takes_off_everywhere(errors, at, y):
    errors[:, y] -= 1


def puts_in_place(errors, at, y):
    errors[at, y] = -1


def grad_whole_table(W, x, y):
    pairs = torch.zeros_like(W)
    for a, b in zip(x, y, strict=True):
        pairs[a, b] += 1
    return (W.softmax(-1) - pairs) / len(x)


def grad_of_pairs(W, x, y):
    return grad_errors(W, x, y) / len(x)


# -- 8: eval_windows


def eval_view(ids, T, stride):
    x, y = windows(ids, T, stride)
    y = y.clone()
    y[1:, : T - stride] = -100
    return x, y


def eval_lists(ids, T, stride):
    ids, xs, ys = ids.tolist(), [], []
    start = 0
    while start + T < len(ids):
        new = T if start == 0 else stride
        xs.append(ids[start : start + T])
        wanted = ids[start + 1 : start + T + 1]
        ys.append([-100] * (T - new) + wanted[T - new :])
        start += stride
    return xs, ys


def eval_where(ids, T, stride):
    x, y = windows(ids, T, stride)
    fresh = torch.arange(T) >= T - stride
    first = torch.arange(len(x))[:, None] == 0
    return [x, torch.where(fresh | first, y, -100)]


def eval_hide(rows, columns):
    """windows, with -100 in these rows and columns(T, stride)."""

    def eval_windows(ids, T, stride):
        x, y = windows(ids, T, stride)
        y = y.clone()
        y[rows, columns(T, stride)] = -100
        return x, y

    return eval_windows


LATER, ALL = slice(1, None), slice(None)


def eval_marked(ids, T, stride):
    x, y = windows(ids, T, stride)
    y = y.clone()
    y[1:, : T - stride] = 0
    return x, y


def eval_dense(ids, T, stride):
    x, y = windows(ids, T, 1)
    y = y.clone()
    y[1:, : T - stride] = -100
    return x, y


def eval_into_the_text(ids, T, stride):
    x, y = windows(ids, T, stride)
    x = x.clone()
    y[1:, : T - stride] = -100
    return x, y


def eval_inputs(ids, T, stride):
    x, y = eval_view(ids, T, stride)
    x = x.clone()
    x[1:, : T - stride] = -100
    return x, y


def eval_unshifted(ids, T, stride):
    x, _ = windows(ids, T, stride)
    y = x.clone()
    y[1:, : T - stride] = -100
    return x, y


RIGHT = {
    "log_prob": [
        log_prob_loop,
        log_prob_torch,
        lambda probs: np.log(probs).sum(),
        lambda probs: math.fsum(map(math.log, probs)),
    ],
    "perplexities": [
        [64, 16, 2, math.inf],
        lambda: (64.0, 16.0, 2.0, "inf"),
        torch.tensor([64.0, 16.0, 2.0, torch.inf]),
    ],
    "loss": [loss_torch, loss_loop, loss_batched],
    "mixed": [mixed_loop, mixed_lists, mixed_with(next_share)],
    "bits_per_byte": [
        bits_numpy,
        lambda nats, n, text: nats * n / len(text.encode()) * math.log2(math.e),
    ],
    "explanation": ["C", lambda: "c", "(C)"],
    "kl": [kl_torch, kl_loop, lambda o, p, q: o @ kl_terms(p, q).sum(-1)],
    "table_grad": [
        grad_autograd,
        grad_loop,
        lambda W, x, y: grad_sum(W, x, y) / len(x),
    ],
    "eval_windows": [
        eval_view,
        eval_lists,
        eval_where,
        lambda ids, T, stride: torch.stack(eval_view(ids, T, stride)),
    ],
}

WRONG = {
    "log_prob": [
        (log_prob_product, "You multiply first"),
        (log_prob_tensor_product, "minus infinity for 400"),
        (lambda probs: math.prod(probs), "That is the probability"),
        (lambda probs: -log_prob_loop(probs), "The sign is turned"),
        (lambda probs: log_prob_loop(probs) / len(probs), "divide by the num"),
        (lambda probs: -log_prob_loop(probs) / len(probs), "That is the loss"),
        (lambda probs: sum(map(math.log2, probs)), "in bits"),
        (lambda probs: sum(map(math.log10, probs)), "base 10"),
        (lambda probs: math.log(sum(probs)), "You add the probabilities"),
        (log_prob_returns_early, "inside the loop"),
        (lambda probs: log_prob_loop(probs[:-1]), "last token is missing"),
        (lambda probs: sum(p * math.log(p) for p in probs), "You weight each"),
        (log_prob_plus_one, "smallest case where yours"),
        (lambda probs: print(end=""), "forget `return`"),
    ],
    "perplexities": [
        ([64, 16, 2], "exactly four"),
        ([math.log(64), 16, 2, math.inf], "A is a loss"),
        ([6, 4, 1, math.inf], "A is a loss"),
        ([1 / 64, 1 / 16, 1 / 2, 0], "Turn it over"),
        ([32, 16, 2, math.inf], "A is its first definition"),
        ([64, 34, 2, math.inf], "You averaged perplexities"),
        ([64, 16, 4.75, math.inf], "three of 1"),
        ([64, 7.53, 1.306, math.inf], "You averaged the probabilities"),
        ([64, 10, 2, math.inf], "B is not right"),
        ([64, 16, 4, math.inf], "C is not right"),
        ([64, 16, 2, 2], "D has no finite answer"),
        ([64, 16, 2, "many"], "D has no finite answer"),
    ],
    "loss": [
        (loss_unshifted, "still asked for token t"),
        (loss_one_fewer, "one position fewer"),
        (lambda z, i: loss_unshifted(z[1:], i[1:]), "first place off both"),
        (loss_backwards, "You shift the wrong way"),
        (loss_twice, "You shift twice"),
        (loss_rolled, "asked for the first token"),
        (loss_positions, "your softmax runs over positions"),
        (loss_raw, "you read logits as if"),
        (lambda z, i: loss_torch(z, i) * (len(i) - 1), "but you sum"),
        (
            lambda z, i: loss_torch(z, i) * (len(i) - 1) / len(i),
            "you divide by T",
        ),
        (lambda z, i: -loss_torch(z, i), "The sign is turned"),
        (loss_late_log, "you average probabilities and take"),
        (lambda z, i: -chosen(z, i).mean(), "you average probabilities. The"),
        (
            lambda z, i: F.cross_entropy(z[:-1].softmax(-1), i[1:]),
            "you take the softmax twice",
        ),
        (lambda z, i: loss_torch(z, i) / math.log(2), "in bits"),
        (lambda z, i: loss_torch(z, i).exp(), "That is the perplexity"),
        (loss_not_indexed, "stops with IndexError"),
        (lambda z, i: z, "returns"),
    ],
    "mixed": [
        (lambda c, lam: mixed_loop(c, 1 - lam), "lam and 1 - lam are swapped"),
        (mixed_nan, "A row of zeros gives 0 / 0"),
        (mixed_clamped, "sums to 1 - lam only"),
        (mixed_with(next_share, uniform), "Where a token was never followed"),
        (mixed_with(uniform), "You mix with 1 / V"),
        (mixed_with(lambda c: c.sum(1) / c.sum()), "b comes first in a pair"),
        (mixed_columns, "You divide each column by its own sum"),
        (mixed_counts, "is built from counts"),
        (mixed_of_all, "by the number of all pairs"),
        (mixed_lam_twice, "Both parts have the weight lam"),
        (mixed_whole, "Your probabilities are whole numbers"),
        (mixed_keepdim_forgotten, "Each row must be a distribution"),
        (mixed_in_place, "changes its input"),
    ],
    "bits_per_byte": [
        (lambda a, n, s: bits_numpy(a, n, "x" * len(s)), "by characters"),
        (lambda a, n, s: a * n / len(s.encode()), "nats per byte"),
        (
            lambda a, n, s: a * n / len(s.encode()) * math.log(2),
            "You multiply by ln 2",
        ),
        (lambda a, n, s: a / math.log(2), "That is bits per token"),
        (lambda a, n, s: bits_numpy(a, 1, s), "forgot the number of tokens"),
        (lambda a, n, s: a * n / math.log(2), "cost of the whole text"),
        (lambda a, n, s: bits_numpy(a / n, 1, s), "twice over"),
        (lambda a, n, s: bits_numpy(a, n, s) / 8, "You divide by 8"),
        (
            lambda a, n, s: a * len(s.encode()) / n / math.log(2),
            "have changed places",
        ),
        (lambda a, n, s: f"{a}", "returns a str; a number"),
    ],
    "explanation": [
        ("A", "pieces of very different lengths"),
        ("B", "no text is in it"),
        ("D", "gives up too early"),
        ("E", "The answer is one letter"),
        (7, "a letter such as 'A'"),
    ],
    "kl": [
        (kl_reversed, "You swapped the two"),
        (lambda o, p, q: kl_terms(p, q).sum(-1).mean(), "plain mean of the"),
        (lambda o, p, q: kl_terms(p, q).sum(), "without a weight"),
        (lambda o, p, q: o @ kl_terms(p, q).mean(-1), "mean within a row"),
        (kl_cross, "That is the cross-entropy"),
        (lambda o, p, q: o @ (p * (p / q).log()).sum(-1), "gives NaN"),
        (lambda o, p, q: (o * kl_terms(p, q)).sum(), "along the wrong axis"),
        (
            lambda o, p, q: o @ torch.where(p > 0, (p / q).log(), 0.0).sum(-1),
            "The p in front is missing",
        ),
        (lambda o, p, q: -kl_loop(o, p, q), "The sign is turned"),
        (lambda o, p, q: kl_torch(o, p, q) / math.log(2), "in bits"),
        (kl_hidden, "hides the worst"),
        (lambda o, p, q: kl_terms(p, q), "returns"),
    ],
    "table_grad": [
        (grad_lost, "overwrites the first"),
        (grad_sum, "the gradient of the sum"),
        (lambda W, x, y: -grad_autograd(W, x, y), "The sign is turned"),
        (grad_by_row, "how often its own token comes"),
        (grad_no_target, "You forgot the target"),
        (grad_only_target, "Only the logit of what came moves"),
        (grad_logits, "subtract the target from the logits"),
        (lambda W, x, y: grad_autograd(W, x, y).T, "Rows and columns"),
        (grad_positions, "Your softmax runs over the pairs"),
        (grad_errors_with(takes_off_everywhere), "taken off in every row"),
        (grad_errors_with(puts_in_place), "The entry of the target is -1"),
        (grad_whole_table, "tokens that x does not hold move"),
        (
            lambda W, x, y: grad_whole_table(W, x, y) * len(x) / len(W),
            "smallest case where yours",
        ),
        (
            lambda W, x, y: torch.zeros_like(W).index_add(
                0, y, grad_of_pairs(W, x, y)
            ),
            "to the row of y",
        ),
        (lambda W, x, y: grad_sum(W, x, y) / len(W), "You divide by V"),
        (grad_of_pairs, "one row for each pair"),
    ],
    "eval_windows": [
        (windows, "scored several times"),
        (eval_hide(ALL, lambda T, s: slice(T - s)), "The first window has no"),
        (eval_hide(LATER, lambda T, s: slice(s, None)), "the beginning of ea"),
        (eval_hide(LATER, lambda T, s: slice(s)), "the other way round"),
        (eval_hide(LATER, lambda T, s: slice(T - s + 1)), "One target too m"),
        (
            eval_hide(LATER, lambda T, s: slice(max(0, T - s - 1))),
            "One target too few",
        ),
        (eval_inputs, "You put -100 into x"),
        (eval_unshifted, "Your targets are the inputs"),
        (lambda ids, T, s: windows(ids, T), "do not overlap"),
        (eval_dense, "begin one token after another"),
        (lambda ids, T, s: eval_view(ids, T, s)[::-1], "x and y have changed"),
        (eval_marked, "Mark the others with -100"),
        (eval_into_the_text, "changes its input"),
        (lambda ids, T, s: windows(ids, T, s)[0], "two, x and y"),
    ],
}

globals().update(held_to(check, RIGHT, WRONG))
