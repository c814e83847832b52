"""Chapter 5's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from held import held_to

from llm_utils.checks import decoder_block as check

# -- 1 and 2: norms


def norm(x, weight, bias, eps, axis=-1, mean=True, power=0.5, n=0, late=0.0):
    """A layer norm with every screw loose."""
    x = x.numpy().astype(float)
    size = x.size if axis is None else x.shape[axis]
    shift = x.mean(axis, keepdims=True)
    square = ((x - shift) ** 2).sum(axis, keepdims=True) / (size - n)
    below = (square + eps) ** power + late
    out = (x - shift if mean else x) / below
    return out * weight.numpy() + bias.numpy()


def layer_rows(x, weight, bias, eps):
    """One vector after the other."""
    out = torch.empty_like(x)
    for row, into in zip(x.view(-1, 4), out.view(-1, 4), strict=True):
        mean = sum(row) / 4
        variance = sum((v - mean) ** 2 for v in row) / 4
        for c in range(4):
            z = (row[c] - mean) / math.sqrt(variance + eps)
            into[c] = z * weight[c] + bias[c]
    return out


def layer_in_place(x, weight, bias, eps):
    x -= x.mean(-1, keepdim=True)
    x /= (x.square().mean(-1, keepdim=True) + eps).sqrt()
    return x * weight + bias


def rms_by_length(x, weight, eps):
    C = x.shape[-1]
    mean = x.norm(dim=-1, keepdim=True) ** 2 / C
    return weight * x * torch.rsqrt(mean + eps)


def rms_rows(x, weight, eps):
    rows = [
        [v / math.sqrt(sum(u * u for u in row) / 4 + eps) for v in row]
        for row in x.view(-1, 4).tolist()
    ]
    return torch.tensor(rows).view_as(x) * weight


# -- 3: swiglu


def swiglu_by_sum(x, gate, up, down):
    a = torch.einsum("...c,cf->...f", x, gate)
    b = torch.einsum("...c,cf->...f", x, up)
    return torch.einsum("...f,...f,...f,fc->...c", a, a.sigmoid(), b, down)


def swiglu_linear(x, gate, up, down):
    hidden = F.linear(x, gate.T)
    hidden = hidden / (1 + torch.exp(-hidden)) * F.linear(x, up.T)
    return F.linear(hidden, down.T)


# -- 5: stream_sizes; 6: block


def pre_lists(x, attn, ffn, norm1, norm2):
    for layer, first in ((attn, norm1), (ffn, norm2)):
        x = layer(first(x)) + x
    return x


def pre_kept(x, attn, ffn, norm1, norm2):
    kept = x
    looked = attn(norm1(x))
    kept = kept + looked
    return ffn(norm2(kept)) + kept


def over(x, attn, ffn, norm1, norm2):
    for layer, first in ((attn, norm1), (ffn, norm2)):
        x = first(x)
        x = x + layer(x)
    return x


def over_second(x, attn, ffn, norm1, norm2):
    x = x + attn(norm1(x))
    x = norm2(x)
    x = x + ffn(x)
    return x


def post(x, attn, ffn, norm1, norm2):
    for layer, then in ((attn, norm1), (ffn, norm2)):
        x = then(x + layer(x))
    return x


def beside(x, attn, ffn, norm1, norm2):
    looked, thought = attn(norm1(x)), ffn(norm2(x))
    return x + looked + thought


# -- 9 to 11: experts


def weights_loop(logits, top_k):
    rows = []
    for row in logits.tolist():
        best = sorted(range(len(row)), key=lambda e: -row[e])[:top_k]
        total = sum(math.exp(row[e]) for e in best)
        rows.append(
            [math.exp(z) / total if e in best else 0 for e, z in enumerate(row)]
        )
    return rows


def weights_masked(logits, top_k, fill=0.0, after=True):
    least = logits.sort(-1, descending=True).values[:, [top_k - 1]]
    probs = (logits.softmax(-1)).masked_fill(logits < least, fill)
    return probs / probs.sum(-1, keepdim=True) if after else probs


def weights_zeroed(logits, top_k):
    least = logits.sort(-1, descending=True).values[:, [top_k - 1]]
    return logits.masked_fill(logits < least, 0).softmax(-1)


def weights_twice(logits, top_k):
    probs = logits.softmax(-1)
    values, places = probs.topk(top_k)
    out = torch.zeros(logits.shape)
    for n in range(len(logits)):
        out[n, places[n]] = values[n].softmax(-1)
    return out


def weights_of_scores(logits, top_k):
    out = torch.zeros(logits.shape)
    for n, row in enumerate(logits):
        values, places = row.topk(top_k)
        out[n, places] = values / values.sum()
    return out


def weights_worst(logits, top_k):
    out = torch.zeros(logits.shape)
    for n, row in enumerate(logits.softmax(-1)):
        values, places = (-row).topk(top_k)
        out[n, places] = values / values.sum()
    return out


def weights_of_tokens(logits, top_k):
    probs = logits.softmax(0)
    least = probs.sort(-1, descending=True).values[:, [top_k - 1]]
    probs = probs * (probs >= least)
    return probs / probs.sum(-1, keepdim=True)


def balance_loop(probs, chosen, factor=None, per=None):
    E = probs.shape[1]
    total = 0.0
    for e in range(E):
        load = sum(e in row for row in chosen.tolist())
        total += load / (per or chosen.numel()) * float(probs[:, e].mean())
    return total * (E if factor is None else factor)


def balance_one_hot(probs, chosen):
    hot = F.one_hot(chosen, probs.shape[1]).double().mean((0, 1))
    return probs.shape[1] * hot @ probs.double().mean(0)


def places(chosen, n_experts, capacity, by_token=False, backward=False):
    N, k = chosen.shape
    if by_token:
        order = [(n, j) for n in range(N) for j in range(k)]
    else:
        order = [(n, j) for j in range(k) for n in range(N)]
    if backward:
        order.sort(key=lambda p: (p[1], -p[0]))
    kept, used = np.zeros((N, k), dtype=bool), dict.fromkeys(range(9), 0)
    for n, j in order:
        e = int(chosen[n, j])
        kept[n, j] = used[e] < capacity
        used[e] += 1
    return kept


def places_by_sum(chosen, n_experts, capacity):
    flat = chosen.T.reshape(-1)
    earlier = torch.tensor(
        [int((flat[:i] == e).sum()) for i, e in enumerate(flat)]
    )
    return (earlier < capacity).view(chosen.shape[1], -1).T.tolist()


def places_apart(chosen, n_experts, capacity):
    kept = [places(c[:, None], n_experts, capacity) for c in chosen.T]
    return np.concatenate(kept, 1)


def places_read_back(chosen, n_experts, capacity):
    queue = chosen.T.flatten()
    asked = F.one_hot(queue, n_experts)
    place = (asked.cumsum(0) * asked).sum(-1)
    return (place <= capacity).view(chosen.shape)


# -- in place, and other slips of the hand


def rms_in_place(x, weight, eps):
    x /= (x.square().mean(-1, keepdim=True) + eps).sqrt()
    return x * weight


def one_copy(x, attn, ffn, norm1, norm2):
    h = norm1(x)
    x = x + attn(h)
    return x + ffn(h)


def in_place(x, attn, ffn, norm1, norm2):
    x += attn(norm1(x))
    x += ffn(norm2(x))
    return x


def dropout_in_place(x, noise, p, training):
    if training:
        x[noise < p] = 0
        x /= 1 - p
    return x


def weights_above(logits, top_k):
    probs = logits.softmax(-1)
    kept = probs * (probs > probs.topk(top_k)[0][:, -1:])
    return kept / kept.sum(-1, keepdim=True)


def weights_in_place(logits, top_k):
    top, chosen = logits.topk(top_k, dim=-1)
    logits.fill_(-torch.inf)
    return logits.scatter_(-1, chosen, top).softmax(-1)


# -- the tables

RIGHT = {
    "layer_norm": [norm, layer_rows],
    "rms_norm": [rms_by_length, rms_rows],
    "swiglu": [swiglu_by_sum, swiglu_linear],
    "matched_width": [
        lambda C, m: math.ceil(8 * C / 3 / m) * m,
        lambda C, m: next(f for f in range(m, 9 * C + m, m) if 3 * f >= 8 * C),
    ],
    "stream_sizes": [[3, 5, 1.4], lambda: (3.0, 5.0, math.sqrt(2))],
    "block": [pre_lists, pre_kept],
    "relative_change": [
        lambda a, b: (b - a).norm() / a.norm(),
        lambda a, b: math.sqrt(((b - a) ** 2).sum() / (a**2).sum()),
    ],
    "explanation": ["B", "(b)"],
    "dropout": [
        lambda x, noise, p, training: (
            torch.where(noise < p, 0.0, x / (1 - p)) if training else x
        ),
        lambda x, noise, p, training: (
            x * (noise >= p).double() * (1 / (1 - p)) if training else x.clone()
        ),
    ],
    "expert_weights": [weights_loop, weights_masked],
    "balance": [balance_loop, balance_one_hot],
    "within_capacity": [places, places_by_sum],
}

WRONG = {
    "layer_norm": [
        (lambda *a: norm(*a, n=1), "You divide the squares by C - 1"),
        (lambda x, w, b, e: norm(x, w, b, 0.0, late=e), "under the root"),
        (lambda x, w, b, e: norm(x, w, b, 0.0), "eps is missing"),
        (lambda *a: norm(*a, power=1.0), "You divide by the variance"),
        (lambda *a: norm(*a, axis=-2), "each column over the positions"),
        (lambda *a: norm(*a, axis=None), "of the whole tensor"),
        (lambda *a: norm(*a, mean=False), "The mean is not subtracted"),
        (lambda x, w, b, e: norm(x, w / w, b, e), "The weight is missing"),
        (lambda x, w, b, e: norm(x, w, 0 * b, e), "The bias is missing"),
        (lambda x, w, b, e: norm(x, w, w * b, e), "comes after the weight"),
        (layer_in_place, "changes its input"),
        (lambda x, w, b, e: norm(x, w, b, e)[0, 0], "The shape is not"),
        (
            lambda x, w, b, e: (x - x.mean(-1, True))
            / (x.std(-1, keepdim=True) + e) * w + b,
            "Two slips in one",
        ),
        (
            lambda x, w, b, e: (x - x.mean(-1, True))
            / ((x**2).mean(-1, True) + e) ** 0.5 * w + b,
            "squares of x itself",
        ),
        (
            lambda x, w, b, e: (x - x.mean(-1, True))
            / (((x - x.mean(-1, True)) ** 2).sum(-1, True) + e).sqrt() * w + b,
            "You add the squares up",
        ),
        (
            lambda x, w, b, e: x - x.mean(-1, True)
            / (x.var(-1, correction=0, keepdim=True) + e).sqrt() * w + b,
            "needs parentheses",
        ),
        (lambda x, w, b, e: norm(x, w, b, 1e-5), "do not use `eps`"),
        (
            lambda x, w, b, e: (x - x.mean(-1))
            / (x.var(-1, correction=0) + e).sqrt() * w + b,
            "keepdim=True",
        ),
        (lambda *a: norm(*a, axis=0), "over different texts"),
        (lambda x, w, b, e: print(end=""), "did you forget `return`"),
    ],
    "rms_norm": [
        (lambda x, *rest: x[..., :1], "The shape is not"),
        (lambda x, w, e: norm(x, w, 0 * w, e), "You subtract the mean"),
        (
            lambda x, w, e: norm(x, w, 0 * w, e, mean=False),
            "You divide by the standard deviation",
        ),
        (
            lambda x, w, e: x / torch.sqrt((x**2).sum(-1, True) + e) * w,
            "the length of the vector",
        ),
        (
            lambda x, w, e: w * x / ((x**2).mean(-1, True) ** 0.5 + e),
            "You add eps after the root",
        ),
        (lambda x, w, e: rms_by_length(x, w, 0.0), "eps is missing"),
        (
            lambda x, w, e: x / ((x**2).mean(-1, True) + e) * w,
            "by the mean of squares",
        ),
        (
            lambda x, w, e: x / ((x**2).mean() + e) ** 0.5 * w,
            "one mean over the whole tensor",
        ),
        (lambda x, w, e: rms_rows(x, w / w, e), "The weight is missing"),
        (
            lambda x, w, e: x / (x.norm(dim=-1, keepdim=True) + e) * w,
            "the length of the vector",
        ),
        (
            lambda x, w, e: x / (x.mean(-1, True) ** 2 + e).sqrt() * w,
            "You square the mean",
        ),
        (
            lambda x, w, e: x * ((x**2).mean(-1, True) + e).sqrt() * w,
            "You multiply by the root mean square",
        ),
        (
            lambda x, w, e: x / ((x**2).mean(-2, True) + e).sqrt() * w,
            "over the positions",
        ),
        (lambda x, w, e: rms_rows(x, 1 + w, e), "1 + weight"),
        (lambda x, w, e: rms_rows(x, w, 1e-5), "do not use `eps`"),
        (
            lambda x, w, e: x / ((x**2).mean(-1) + e).sqrt() * w,
            "keepdim=True",
        ),
        (rms_in_place, "changes its input"),
        (lambda x, w, e: (rms_rows(x, w, e), w), "parts differ in shape"),
    ],
    "swiglu": [
        (lambda x, *rest: x.sum(-1), "The shape is not"),
        (lambda x, g, u, d: swiglu_linear(x, u, g, d), "changed places"),
        (
            lambda x, g, u, d: (x @ u / (1 + (-x @ g).exp())) @ d,
            "Your gate is a sigmoid",
        ),
        (lambda x, g, u, d: F.gelu(x @ g).mul(x @ u) @ d, "called GEGLU"),
        (lambda x, g, u, d: F.relu(x @ g).mul(x @ u) @ d, "called ReGLU"),
        (
            lambda x, g, u, d: (F.silu(x @ g.T) * (x @ u.T)) @ d.T,
            "the transposes",
        ),
        (
            lambda x, g, u, d: x + swiglu_linear(x, g, u, d),
            "You add x to the result",
        ),
        (lambda x, g, u, d: F.silu(x @ g) @ d, "`up` is not used"),
        (lambda x, g, u, d: (x @ u + F.silu(x @ g)) @ d, "You add what"),
        (lambda x, g, u, d: F.silu(x @ u * (x @ g)) @ d, "goes around"),
        (
            lambda x, g, u, d: F.silu(x @ u) * F.silu(x @ g) @ d,
            "Both halves go through",
        ),
        (lambda x, g, u, d: (x @ u * (x @ g)) @ d, "There is no SiLU"),
        (lambda x, g, u, d: F.silu(x @ u) @ d, "The gate is not used"),
        (lambda x, g, u, d: F.silu(x @ g) * (x @ u), "smallest case"),
        (lambda x, g, u, d: x @ g.T, "smallest case where yours differs"),
    ],
    "matched_width": [
        (lambda C, m: 4 * C, "That is the MLP's own width"),
        (lambda C, m: -(-2 * C // m) * m, "You halved the width"),
        (lambda C, m: int(8 * C / 3 / m) * m, "You round down"),
        (lambda C, m: round(8 * C / 3 / m) * m, "to the nearest multiple"),
        (lambda C, m: C * 8 / 3, "is not rounded up to a multiple"),
        (lambda C, m: int(C * 8 / 3), "rounded down, and not to a multiple"),
        (lambda C, m: math.ceil(C * 8 / 3), "rounded up, but not"),
        (lambda C, m: math.ceil(C * 8 / 3 / m), "how many multiples"),
        (lambda C, m: -(-2 * C // (3 * m)) * m, "two thirds of d_model"),
        (lambda C, m: int(8 * C / 3 / m + 1) * m, "always add a multiple"),
        (lambda C, m: str(C), "a number is asked for"),
    ],
    "stream_sizes": [
        ([9, 25, 5.9], "You added the sizes"),
        ([9, 25, 2], "Those are mean squares"),
        ([9, 25, 1.41], "The first two are mean squares"),
        ([2.24, 3.61, 1.22], "A block adds twice"),
        ([2.83, 4.9, 1.0], "what was there before the first block"),
        ([3, 5, 1], "The first two are right"),
        ([3, 9, 1.4], "The first is right"),
        ([8, 5, 1.4], "The first is off already"),
        ([3, 5], "Three sizes are asked for"),
    ],
    "block": [
        (lambda x, *parts: pre_lists(x, *parts)[:1], "The shape is not"),
        (over, "still overwritten by its normalized copy"),
        (over_second, "The first half is right"),
        (post, "That is post-norm"),
        (
            lambda x, a, f, n1, n2: (x + n1(a(x))) + n2(f(x + n1(a(x)))),
            "You normalize what the layers return",
        ),
        (beside, "side by side"),
        (
            lambda x, a, f, n1, n2: f(n2(a(n1(x)) + x)) + x,
            "starts from the old x",
        ),
        (lambda x, a, f, n1, n2: f(n2(a(n1(x)))), "Nothing is added"),
        (
            lambda x, a, f, n1, n2: f(n2(x + a(n1(x)))),
            "The second addition is missing",
        ),
        (
            lambda x, a, f, n1, n2: pre_lists(x, a, f, n1, lambda y: y),
            "reads x without a norm",
        ),
        (
            lambda x, a, f, n1, n2: pre_lists(x, a, f, n1, n1),
            "norm1 is used twice",
        ),
        (
            lambda x, a, f, n1, n2: pre_lists(x, f, a, n1, n2),
            "The feed-forward layer comes first",
        ),
        (
            lambda x, a, f, n1, n2: pre_lists(x, a, f, n2, n1),
            "norm1 and norm2 have changed places",
        ),
        (
            lambda x, a, f, n1, n2: (x + a(x)) + f(x + a(x)),
            "No norm is used",
        ),
        (lambda x, a, f, n1, n2: x + a(n1(x)), "layer is missing"),
        (one_copy, "Both layers read the same normalized copy"),
        (in_place, "changes its input"),
        (
            lambda x, a, f, n1, n2: 2 * pre_lists(x, a, f, n1, n2),
            "smallest case where yours differs",
        ),
    ],
    "relative_change": [
        (lambda a, b: b.norm() / a.norm(), "how large the stream is"),
        (lambda a, b: b.norm() / a.norm() - 1, "by how much the size grew"),
        (
            lambda a, b: float(np.sqrt(((b - a) ** 2).mean())),
            "That is the size of the change",
        ),
        (lambda a, b: (b - a).norm() / b.norm(), "the size after the block"),
        (
            lambda a, b: ((b - a) ** 2).mean() / (a**2).mean(),
            "the root is missing",
        ),
        (lambda a, b: (b - a).sum() / a.sum(), "ups and downs cancel"),
        (lambda a, b: (b - a) / a, "one number is asked for"),
        (
            lambda a, b: ((b - a) / a).square().mean().sqrt(),
            "You divide number by number",
        ),
        (
            lambda a, b: ((b - a).abs() / a.abs()).mean(),
            "You divide number by number",
        ),
        (
            lambda a, b: (b - a).abs().mean() / a.abs().mean(),
            "mean of the absolute values",
        ),
        (lambda a, b: 100 * (b - a).norm() / a.norm(), "in percent"),
    ],
    "explanation": [
        ("E", "The answer is one letter"),
        ("A", "draw their weights in the same way"),
        ("C", "nothing was trained"),
        ("D", "every vector the same size"),
        (2, "a letter such as 'A'"),
    ],
    "dropout": [
        (lambda x, n, p, t: x.sum(-1), "The shape is not"),
        (
            lambda x, n, p, t: torch.where(n < p, 0.0, x / (1 - p)),
            "It still drops numbers in use",
        ),
        (
            lambda x, n, p, t: torch.where(n < p, 0.0, x) if t else x,
            "In training the sum gets smaller",
        ),
        (lambda x, n, p, t: x * (n >= p), "Neither slip is repaired"),
        (
            lambda x, n, p, t: x * (n >= p) if t else x - p * x,
            "You scale in use, by 1 - p",
        ),
        (
            lambda x, n, p, t: torch.where(n < p, x / (1 - p), 0) if t else x,
            "keep where the noise is below p",
        ),
        (
            lambda x, n, p, t: x * (n >= p) * (1 - p) if t else x,
            "You multiply what is kept",
        ),
        (
            lambda x, n, p, t: x * (n >= p) / max(p, 1e-9) if t else x,
            "smallest case where yours differs",
        ),
        (lambda x, n, p, t: x * (n >= p) / p if t else x, "You divide by p"),
        (
            lambda x, n, p, t: (n >= p) / (1 - p) if t else x,
            "You return the mask",
        ),
        (dropout_in_place, "changes its input"),
        (
            lambda x, n, p, t: x[n >= p] / (1 - p) if t else x,
            "The shape is not",
        ),
        (
            lambda x, n, p, t: (x * (n >= p) if t else x) / (1 - p),
            "You scale in use, too",
        ),
        (
            lambda x, n, p, t: x if t else x * (n >= p) / (1 - p),
            "the wrong way round",
        ),
    ],
    "expert_weights": [
        (
            lambda z, k: weights_masked(z, k, after=False),
            "Your rows do not sum to 1",
        ),
        (weights_zeroed, "But exp(0) is 1"),
        (weights_twice, "Your softmax comes twice"),
        (weights_of_scores, "You divide scores by their sum"),
        (
            lambda z, k: (weights_masked(z, k) > 0).double() / k,
            "all count the same",
        ),
        (weights_worst, "with the lowest scores"),
        (weights_of_tokens, "runs over the tokens"),
        (lambda z, k: z.softmax(-1), "without the choice"),
        (lambda z, k: z.topk(k)[0].softmax(-1), "Your columns are choices"),
        (lambda z, k: z.topk(k), "The shape is not"),
        (weights_above, "One expert too few"),
        (
            lambda z, k: weights_masked(z, k, after=False)
            / weights_masked(z, k, after=False).sum(),
            "one sum for all tokens",
        ),
        (
            lambda z, k: torch.eye(z.shape[-1])[z.argmax(-1)],
            "The best expert gets all",
        ),
        (
            lambda z, k: (weights_masked(z, k) > 0).double(),
            "every chosen one is 1",
        ),
        (
            lambda z, k: weights_masked(z, k).log().add(
                z.topk(k)[0].logsumexp(-1, True)).softmax(0),
            "runs over the tokens",
        ),
        (weights_in_place, "changes its input"),
    ],
    "balance": [
        (lambda p, c: balance_loop(p, c, 1), "The factor E is missing, or"),
        (
            lambda p, c: p.shape[1] * (
                torch.bincount(c.flatten(), minlength=p.shape[1])
                / c.numel() * p.mean(0)
            ).mean(),
            "The factor E is missing, or",
        ),
        (lambda p, c: balance_loop(p, c, len(p)), "Yours is the number of"),
        (
            lambda p, c: balance_loop(p, c) * len(p),
            "You add the probabilities up",
        ),
        (
            lambda p, c: p.shape[1] * (
                torch.bincount(c.flatten()) / c.numel() * p.mean(0)
            ).sum(),
            "nobody chose has no place",
        ),
        (lambda p, c: balance_loop(p, c, per=len(c)), "loads sum to top_k"),
        (lambda p, c: balance_loop(p, c, per=1), "how many assignments"),
        (
            lambda p, c: p.shape[1] * (p.mean(0) ** 2).sum(),
            "the load never",
        ),
        (
            lambda p, c: (
                p.shape[1]
                * (torch.bincount(c.flatten()) / c.numel()).square().sum()
            ),
            "You use the load twice",
        ),
        (lambda p, c: balance_loop(p, c[:, :1]), "first choices only"),
        (
            lambda p, c: balance_loop(p, c, 1 / p.shape[1]),
            "You take the mean over the experts",
        ),
        (lambda p, c: p.mean(0), "one number is asked for"),
    ],
    "within_capacity": [
        (lambda *a: places(*a, by_token=True), "You go token by token"),
        (lambda *a: places(*a, backward=True), "last tokens are served first"),
        (places_apart, "places of its own"),
        (
            lambda c, E, n: torch.tensor(places(c, E, n)).cumprod(-1),
            "loses its second one",
        ),
        (places_read_back, "another order than you asked"),
        (lambda c, E, n: places(0 * c, E, n), "one count for all experts"),
        (
            lambda c, E, n: [
                [bool((c == e).sum() <= n) for e in row] for row in c
            ],
            "loses everything",
        ),
        (lambda c, E, n: places(c, E, n + 1), "One too many fits"),
        (lambda c, E, n: places(c, E, n - 1), "One too few fits"),
        (lambda c, E, n: c == c, "Everything fits"),
        (lambda c, E, n: ~places(c, E, n), "the wrong way round"),
        (lambda c, E, n: places(c, E, n).sum(0), "The shape is not"),
    ],
}


globals().update(held_to(check, RIGHT, WRONG))
