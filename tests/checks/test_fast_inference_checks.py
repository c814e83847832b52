"""Chapter 11's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import numpy as np
import torch
from held import held_to

from llm_utils.checks import fast_inference as check
from llm_utils.infer.cache import KVCache, RollingCache
from llm_utils.infer.decode_cost import Shape, step_cost
from llm_utils.infer.decode_cost import cache_bytes as package_bytes
from llm_utils.infer.quantize import pack
from llm_utils.train.accounting import Roofline

# -- 1: cache_bytes


def bytes_of_a_tensor(L, H, K, D, B, T, size):
    return L * int(np.prod([2, B, K, T, D])) * size


def bytes_in_parts(L, H, K, D, B, T, size):
    keys = values = B * K * T * D
    return float((keys + values) * size * L)


# -- 3: places


def places_loop(t, window):
    out = []
    for s in range(t + 1):
        if s > t - window:
            out.append(s % window)
    return out


def places_rolled(t, window):
    if t < window:
        return np.arange(t + 1)
    return np.roll(np.arange(window), -(t + 1) % window)


# -- 4, 5: kept_share, rest


def share_loop(p, q):
    return sum(b * min(1, a / b) for a, b in zip(p.tolist(), q.tolist(),
                                                 strict=True))  # fmt: skip


def share_distance(p, q):
    return 1 - (p - q).abs().sum() / 2


def rest_where(p, q):
    left = torch.where(p > q, p - q, 0.0)
    return left / left.sum()


def rest_list(p, q):
    left = [max(0.0, a - b) for a, b in zip(p.tolist(), q.tolist(),
                                            strict=True)]  # fmt: skip
    return [x / sum(left) for x in left]


# -- 6: round_tokens


def round_loop(guesses, says):
    out = []
    for g, s in zip(guesses, says, strict=False):
        if g != s:
            break
        out.append(g)
    return [*out, says[len(out)]]


def round_prefix(guesses, says):
    fits = torch.tensor(guesses) == torch.tensor(says[:-1])
    kept = int(fits.int().cumprod(0).sum())
    return says[: kept + 1]


def round_any(guesses, says):
    kept = sum(guesses[i] == says[i] for i in range(len(guesses)))
    return [*guesses[:kept], says[kept]]


# -- 7: tokens_a_second


def speed_by_step(weights, cache, B, W):
    step = weights / W + B * cache / W
    return B / step


def speed_by_text(weights, cache, B, W):
    return W / (weights / B + cache)


# -- 8: pack_row


def pack_loop(codes):
    return [(codes[i] % 16) | (codes[i + 1] % 16) << 4
            for i in range(0, len(codes), 2)]  # fmt: skip


def pack_numpy(codes):
    c = np.array(codes, dtype=np.int8).view(np.uint8) & 15
    return c[::2] + c[1::2] * 16


# -- 9: rounded_range


def range_levels(w, bits):
    levels = torch.linspace(float(w.min()), float(w.max()), 2**bits)
    nearest = (w[:, None] - levels).abs().argmin(-1)
    return levels[nearest]


def range_list(w, bits):
    low, high = min(w.tolist()), max(w.tolist())
    s = (high - low) / (2**bits - 1) or 1.0
    return [low + s * round((x - low) / s) for x in w.tolist()]


RIGHT = {
    "cache_bytes": [bytes_of_a_tensor, bytes_in_parts],
    "readings": [[57, 12, 6, 2], lambda: (57, 12, 6, 2.0)],
    "places": [places_loop, places_rolled],
    "kept_share": [share_loop, share_distance],
    "rest": [rest_where, rest_list],
    "round_tokens": [round_loop, round_prefix],
    "tokens_a_second": [speed_by_step, speed_by_text],
    "explanation": ["C", lambda: "(c)"],
    "pack_row": [pack_loop, pack_numpy],
    "rounded_range": [range_levels, range_list],
}

WRONG = {
    "cache_bytes": [
        (lambda L, H, K, D, B, T, s: L * B * K * T * D * s, "keys only"),
        (lambda L, H, K, D, B, T, s: 2 * L * B * H * T * D * s,
         "each query head"),
        (lambda L, H, K, D, B, T, s: 2 * B * K * T * D * s, "a single layer"),
        (lambda L, H, K, D, B, T, s: 2 * L * B * K * T * D, "count numbers"),
        (lambda L, H, K, D, B, T, s: 2 * L * K * T * D * s, "count one text"),
    ],
    "readings": [
        ([63, 12, 6, 2], "Begin the sum there"),
        ([42, 12, 6, 2], "grows by one"),
        ([50, 12, 6, 2], "six terms"),
        ([57, 13, 6, 2], "never read"),
        ([57, 6, 6, 2], "tokens of the prompt have to be read"),
        ([57, 20, 6, 2], "all but the last"),
        ([57, 12, 12, 2], "in one pass"),
        ([57, 12, 5, 2], "each pass gives one"),
        ([57, 12, 6, 3], "a token of its own"),
        ([57, 12, 6, 1], "gives three tokens"),
        ([57, 12, 6], "exactly four"),
    ],
    "places": [
        (lambda t, w: list(range(min(t + 1, w))), "in which they lie"),
        (lambda t, w: places_loop(t, w)[::-1], "newest comes first"),
        (lambda t, w: places_loop(t, w)[:-1], "itself is missing"),
        (lambda t, w: list(range(max(0, t - w + 1), t + 1)),
         "Those are the positions"),
        (lambda t, w: [s % w for s in range(t - w + 1, t + 1)],
         "do not exist"),
        (lambda t, w: [s % w for s in range(max(0, t - w), t + 1)],
         "One too many"),
    ],
    "kept_share": [
        (lambda p, q: (p * q).sum(), "draw from q are the same"),
        (lambda p, q: torch.minimum(torch.ones(()), p / q).mean(),
         "each were guessed equally often"),
        (lambda p, q: (p * (p / q).clamp(max=1)).sum(), "weigh by q"),
        (lambda p, q: 1 - share_distance(p, q) + 0, "refused"),
        (lambda p, q: (p / q).clamp(max=1).sum(), "You sum the ratios"),
    ],
    "rest": [
        (lambda p, q: p, "draw from p again"),
        (lambda p, q: rest_where(q, p), "offers too much"),
        (lambda p, q: (p - q).relu(), "does not sum to one"),
        (lambda p, q: (p - q).abs() / (p - q).abs().sum(), "clamp at zero"),
        (lambda p, q: torch.softmax(p - q, -1), "softmax of the differences"),
    ],
    "round_tokens": [
        (round_any, "the later ones, too"),
        (lambda g, s: round_loop(g, s)[:-1], "own token is missing"),
        (lambda g, s: list(s), "all that the model says"),
        (lambda g, s: [*round_loop(g, s)[:-1], s[-1]], "The last of `says`"),
        (lambda g, s: [a for a, b in zip(g, s, strict=False) if a == b]
         + [s[-1]], "out of the row"),
    ],
    "tokens_a_second": [
        (lambda w, c, B, W: W / (w + B * c), "speed of each text"),
        (lambda w, c, B, W: W / (w + c), "the weights for each text"),
        (lambda w, c, B, W: B * W / (w + c), "You read one cache"),
        (lambda w, c, B, W: B * W / w, "caches have to be read"),
        (lambda w, c, B, W: w / W + B * c / W, "time of a step"),
    ],
    "explanation": [
        ("A", "read once a step"),
        ("B", "nothing here computes"),
        ("D", "a constant"),
        ("E", "one letter"),
    ],
    "pack_row": [
        (lambda c: [(a & 15) << 4 | b & 15 for a, b in
                    zip(c[::2], c[1::2], strict=True)], "are exchanged"),
        (lambda c: [a + 16 * b for a, b in
                    zip(c[::2], c[1::2], strict=True)], "come out wrong"),
        (lambda c: [a + 8 + 16 * (b + 8) for a, b in
                    zip(c[::2], c[1::2], strict=True)], "add 8 first"),
        (lambda c: [(a & 15) | (b & 15) << 4 for a, b in
                    zip(c[: len(c) // 2], c[len(c) // 2 :], strict=True)],
         "first half"),
    ],
    "rounded_range": [
        (lambda w, b: w.min() + (w.max() - w.min()) / 2**b * (
            (w - w.min()) / (w.max() - w.min()) * 2**b).round().nan_to_num(),
         "2 ** bits - 1"),
        (lambda w, b: (w / w.abs().max() * (2 ** (b - 1) - 1)).round()
         * w.abs().max() / (2 ** (b - 1) - 1), "the chapter's rule"),
        (lambda w, b: range_levels(w, b) - (w.min() if w.max() > w.min()
                                            else 0), "must be added again"),
        (lambda w, b: w.min() + ((w - w.min()) * (2**b - 1)
         / (w.max() - w.min())).round() * (w.max() - w.min()) / (2**b - 1),
         "gives nan"),
    ],
}  # fmt: skip

globals().update(held_to(check, RIGHT, WRONG))


# -- the exercises and the package say the same


def test_bytes_are_those_of_the_package():
    for case in check.cache_bytes.cases[:2]:
        L, _, K, D, B, T, size = case
        want = check.cache_bytes.reference(*case)
        assert package_bytes(Shape(0, L, K, D), B, T, size) == want
        cache = KVCache(B, K, T, D, dtype={2: torch.half, 4: torch.float}[size])
        assert L * cache.n_bytes == want


def test_places_are_those_of_the_package():
    cache = RollingCache(1, 1, 4, 2)
    for t in range(11):
        row = torch.full((1, 1, 1, 2), float(t))
        cache.extend(row, row)
        seen = cache.kv[0, 0, 0, :, 0][check.places.reference(t, 4)]
        assert seen.tolist() == [*range(max(0, t - 3), t + 1)]


def test_bytes_are_packed_as_in_the_package():
    for (codes,) in check.pack_row.cases:
        ours = pack(torch.tensor([codes], dtype=torch.int8))[0].tolist()
        assert ours == check.pack_row.reference(codes)


def test_the_speed_is_that_of_the_package():
    shape, roof = Shape(1e9, 16, 8, 64), Roofline(1e15, 1e12)
    cost = step_cost(shape, roof, 4, 512)
    speed = check.tokens_a_second.reference(
        cost.weights, cost.caches / 4, 4, roof.bandwidth
    )
    assert abs(speed * cost.seconds / 4 - 1) < 1e-9
