"""Chapter 4's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import math

import numpy as np
import torch
from held import held_to

from llm_utils.checks import positions as check

# -- 1: wave_table


def waves_loop(T, C, exponent=2.0, first=0):
    rows = []
    for t in range(first, first + T):
        row = []
        for i in range(C // 2):
            angle = t / 10_000 ** (exponent * i / C)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return rows


def waves_numpy(T, C):
    angles = np.arange(T)[:, None] / 10_000 ** (np.arange(0, C, 2) / C)
    table = np.zeros((T, C))
    table[:, ::2], table[:, 1::2] = np.sin(angles), np.cos(angles)
    return table


def waves_by_halves(T, C):
    table = torch.tensor(waves_loop(T, C))
    return torch.cat((table[:, 0::2], table[:, 1::2]), 1)


def waves_by_column(T, C):
    return [
        [(math.sin, math.cos)[c % 2](t / 10_000 ** (c / C)) for c in range(C)]
        for t in range(T)
    ]


def waves_cosine_first(T, C):
    table = torch.tensor(waves_loop(T, C)).view(T, -1, 2)
    return table.flip(-1).flatten(1)


def waves_of(sign=-1, columns=(torch.sin, torch.cos), unit=1.0):
    """As hint 3 has it, in float32."""

    def waves(T, C):
        i = torch.arange(C // 2)
        speeds = 10_000 ** (sign * 2 * i / C)
        angles = unit * torch.outer(torch.arange(T).float(), speeds)
        table = torch.empty(T, C)
        table[:, 0::2] = columns[0](angles)
        table[:, 1::2] = columns[1](angles)
        return table

    return waves


# -- 2: turn


def turn_complex(pair, position, frequency):
    z = complex(*pair) * complex(
        math.cos(position * frequency), math.sin(position * frequency)
    )
    return z.real, z.imag


def turn_matrix(pair, position, frequency):
    a = torch.tensor(position * frequency)
    matrix = torch.stack(
        (torch.stack((a.cos(), -a.sin())), torch.stack((a.sin(), a.cos())))
    )
    return matrix @ torch.tensor(pair)


def turn_in_place(pair, position, frequency):
    x, y = pair
    c, s = math.cos(position * frequency), math.sin(position * frequency)
    x = c * x - s * y
    y = s * x + c * y
    return [x, y]


def turn_mirrored(pair, position, frequency):
    x, y = pair
    c, s = math.cos(position * frequency), math.sin(position * frequency)
    return x * c - y * s, x * s - y * c


def turn_by(angle):
    return lambda pair, position, frequency: turn_complex(
        pair, angle(position, frequency), 1
    )


# -- 4: rope


def rope_complex(x, start, base):
    T, D = x.shape[-2:]
    z = torch.complex(x[..., : D // 2], x[..., D // 2 :])
    t = torch.arange(start, start + T)[:, None]
    angles = t * base ** (-torch.arange(0, D, 2) / D)
    z = z * torch.polar(torch.ones_like(angles), angles)
    return torch.cat((z.real, z.imag), -1)


def rope_rows(x, start, base, pairs=None, first=0, of_base=None, sign=1):
    """Number by number, as on paper."""
    out, D = x.clone(), x.shape[-1]
    pairs = pairs or [(i, i + D // 2) for i in range(D // 2)]
    for row in range(x.shape[-2]):
        for i, (a, b) in enumerate(pairs):
            angle = sign * (start + first + row) * base ** (-2 * i / D)
            c, s = math.cos(angle), math.sin(angle)
            out[..., row, a] = x[..., row, a] * c - x[..., row, b] * s
            out[..., row, b] = x[..., row, a] * s + x[..., row, b] * c
    return out


def rope_neighbors(x, start, base):
    D = x.shape[-1]
    return rope_rows(x, start, base, [(i, i + 1) for i in range(0, D, 2)])


def rope_mixed(x, start, base):
    """Halves turned by angles that lie as for neighbors."""
    T, D = x.shape[-2:]
    t = torch.arange(start, start + T)[:, None]
    angles = (t * base ** (-torch.arange(0, D, 2) / D)).repeat_interleave(2, 1)
    half = torch.cat((-x[..., D // 2 :], x[..., : D // 2]), -1)
    return x * angles.cos() + half * angles.sin()


def rope_slow(x, start, base):
    return rope_rows(x, start, math.sqrt(base))


def rope_alike(x, start, base):
    rows = [rope_rows(row[..., None, :], 1, base) for row in x.unbind(-2)]
    return torch.cat(rows, -2)


def rope_unsigned(x, start, base):
    T, D = x.shape[-2:]
    t = torch.arange(start, start + T)[:, None]
    angles = (t * base ** (-torch.arange(0, D, 2) / D)).repeat(1, 2)
    return x * angles.cos() + x.roll(D // 2, -1) * angles.sin()


def rope_in_place(x, start, base):
    x.copy_(rope_complex(x, start, base))
    return x


def rope_with(size=None, shared=False, join=torch.cat, split=None):
    """As hint 3 has it, with one thing changed."""

    def rope(x, start=0, base=10_000.0):
        T, D = size(x) if size else x.shape[-2], x.shape[-1]
        i = torch.zeros(D // 2) if shared else torch.arange(D // 2)
        angles = torch.arange(start, start + T)[:, None] * base ** (-2 * i / D)
        cos, sin = angles.cos(), angles.sin()
        a, b = split(x) if split else x.chunk(2, -1)
        return join((a * cos - b * sin, a * sin + b * cos), -1).reshape(
            *x.shape[:-1], D
        )

    return rope


def rope_front(axis):
    """T from the wrong end of the shape, and no view to notice it."""

    def rope(x, start=0, base=10_000.0):
        T, D = x.shape[axis], x.shape[-1]
        i = torch.arange(D // 2)
        angles = torch.arange(start, start + T)[:, None] * base ** (-2 * i / D)
        cos, sin = angles.cos(), angles.sin()
        a, b = x[..., : D // 2], x[..., D // 2 :]
        return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)

    return rope


# -- 5: half_split_rows


def rows_by_index(weight, n_heads):
    D = len(weight) // n_heads
    order = [
        h * D + row
        for h in range(n_heads)
        for row in [*range(0, D, 2), *range(1, D, 2)]
    ]
    return weight[order]


def rows_by_view(weight, n_heads):
    n, C = weight.shape
    grid = weight.view(n_heads, n // n_heads // 2, 2, C)
    return grid.transpose(1, 2).reshape(n, C)


def rows_in_place(weight, n_heads):
    weight.copy_(rows_by_index(weight.clone(), n_heads))
    return weight


def rows_back(weight, n_heads):
    n, C = weight.shape
    grid = weight.view(n_heads, 2, n // n_heads // 2, C)
    return grid.transpose(1, 2).reshape(n, C)


# -- 6: linear_bias


def bias_loop(H, T, S, slope=lambda h, H: 2 ** (-8 * h / H), sign=-1):
    bias = torch.full((H, T, S), -torch.inf)
    for h in range(H):
        for t in range(T):
            for s in range(S - T + t + 1):
                distance = S - T + t - s
                bias[h, t, s] = sign * slope(h + 1, H) * distance
    return bias


def bias_numpy(H, T, S):
    slopes = np.power(2.0, -8 * np.arange(1, H + 1) / H)[:, None, None]
    back = np.arange(S - T, S)[:, None] - np.arange(S)[None, :]
    return np.where(back < 0, -np.inf, -slopes * back)


def bias_open(H, T, S):
    """No mask at all."""
    slopes = 2 ** (-8 * torch.arange(1.0, H + 1) / H)
    back = torch.arange(S - T, S)[:, None] - torch.arange(S)
    return -back * slopes.view(-1, 1, 1)


def bias_first_rows(H, T, S):
    return bias_loop(H, S, S)[:, :T]


def bias_swapped(H, T, S):
    slopes = 2 ** (-8 * torch.arange(1.0, H + 1) / H)
    back = torch.arange(S - T, S) - torch.arange(S)[:, None]
    bias = -slopes.view(-1, 1, 1) * back
    return bias.masked_fill(back < 0, -torch.inf)


def bias_of_keys(H, T, S):
    """BLOOM's form."""
    bias = torch.full((H, T, S), -torch.inf)
    for h in range(H):
        for t in range(T):
            for s in range(S - T + t + 1):
                bias[h, t, s] = 2 ** (-8 * (h + 1) / H) * s
    return bias


# -- 7: one_by_one


def steps(q, k, rotary, place):
    """place(t) is where step t believes to stand."""
    T, kept = len(q), torch.empty(0, q.shape[1])
    scores = torch.zeros(T, T)
    for t in range(T):
        q_t, k_t = rotary(q[t : t + 1], k[t : t + 1], place(t))
        kept = torch.cat((kept, k_t))
        scores[t, : t + 1] = q_t[0] @ kept.T
    return scores


def steps_past_only(q, k, rotary):
    scores, kept = torch.zeros(len(q), len(q)), []
    for t in range(len(q)):
        q_t, k_t = rotary(q[t : t + 1], k[t : t + 1], t)
        for s, old in enumerate(kept):
            scores[t, s] = q_t[0] @ old[0]
        kept.append(k_t)
    return scores


def steps_turned_when_used(q, k, rotary):
    """Keys are kept as they came and all turned at each step."""
    rows = []
    for t in range(len(q)):
        q_t = rotary(q[t : t + 1], q[t : t + 1], t)[0]
        row = torch.zeros(len(q))
        row[: t + 1] = (q_t @ rotary(k[: t + 1], k[: t + 1])[1].T)[0]
        rows.append(row)
    return rows


def steps_turned_each_time(q, k, rotary):
    kept, scores = [], torch.zeros(len(q), len(q))
    for t in range(len(q)):
        kept.append(k[t : t + 1])
        q_t = rotary(q[t : t + 1], q[t : t + 1], t)[0]
        turned = rotary(torch.cat(kept), torch.cat(kept))[1]
        kept = list(turned.split(1))
        scores[t, : t + 1] = (q_t @ turned.T)[0]
    return scores


def steps_turned_twice(q, k, rotary):
    kept, scores = [], torch.zeros(len(q), len(q))
    for t in range(len(q)):
        q_t, k_t = rotary(q[t : t + 1], k[t : t + 1], t)
        kept.append(k_t)
        keys = rotary(torch.cat(kept), torch.cat(kept))[1]
        scores[t, : t + 1] = (q_t @ keys.T)[0]
    return scores


def steps_plain_keys(q, k, rotary):
    scores = torch.zeros(len(q), len(q))
    for t in range(len(q)):
        q_t = rotary(q[t : t + 1], q[t : t + 1], t)[0]
        scores[t, : t + 1] = (q_t @ k[: t + 1].T)[0]
    return scores


def steps_no_rows(q, k, rotary):
    return steps(q, k, rotary, lambda t: t)[0]


# -- 8: unfinished_pairs


def pairs_loop(d_head, base, length, turn=2 * math.pi):
    return sum(
        turn * base ** (2 * i / d_head) > length for i in range(d_head // 2)
    )


def pairs_tensor(d_head, base, length):
    frequencies = base ** (-torch.arange(0, d_head, 2) / d_head)
    return (frequencies * length < 2 * math.pi).sum()


# -- 10: is_relative


def relative_random(turn):
    rng = torch.Generator().manual_seed(3)
    for _ in range(60):
        q, k = torch.randn(2, 4, dtype=torch.double, generator=rng)
        m, n, s = torch.randint(0, 32, (3,), generator=rng).tolist()
        a, b = turn(q, m) @ turn(k, n), turn(q, m + s) @ turn(k, n + s)
        if abs(a - b) > 1e-9:
            return False
    return True


def relative_table(turn):
    """The table of all scores has equal numbers along each diagonal."""
    q, k = torch.tensor([[1.0, 2, -1, 0.5], [0.3, -2, 1, 4]]).double()
    at = range(64)
    table = torch.stack([turn(q, m) for m in at]) @ (
        torch.stack([turn(k, n) for n in at]).T
    )
    return torch.allclose(table[1:, 1:], table[:-1, :-1])


def moves(vectors, pairs, shifts):
    q, k = vectors

    def test(turn):
        return all(
            abs(turn(q, m) @ turn(k, n) - turn(q, m + s) @ turn(k, n + s))
            < 1e-9
            for m, n in pairs
            for s in shifts
        )

    return lambda turn: bool(test(turn))


TWO = torch.tensor([[1.0, 2, -1, 0.5], [0.3, -2, 1, 4]]).double()
EQUAL = TWO[[0, 0]]
AWAY = [(3, 1), (2, 7), (40, 11), (9, 9)]


# -- the tables

RIGHT = {
    "wave_table": [waves_loop, waves_numpy],
    "turn": [turn_complex, turn_matrix],
    "quarter_scores": [
        [0, 1, -1, 0, 1],
        lambda: torch.tensor([0, 1, -1, 0, 1]),
    ],
    "rope": [rope_complex, rope_rows],
    "half_split_rows": [rows_by_index, rows_by_view],
    "linear_bias": [bias_loop, bias_numpy],
    "one_by_one": [
        lambda q, k, rotary: steps(q, k, rotary, lambda t: t),
        steps_turned_when_used,
        lambda q, k, rotary: steps(q, k, rotary, lambda t: t + 1),
    ],
    "unfinished_pairs": [pairs_loop, pairs_tensor],
    "explanation": ["C", " c) "],
    "ntk_base": [
        lambda base, D, factor: base * factor ** (D / (D - 2)),
        lambda base, D, factor: math.exp(
            math.log(base) + math.log(factor) / (1 - 2 / D)
        ),
    ],
    "is_relative": [relative_random, relative_table],
}

WRONG = {
    "wave_table": [
        (waves_by_halves, "All sines stand first"),
        (waves_by_column, "Every column has a frequency of its own"),
        (lambda T, C: waves_loop(T, C, 1.0), "exponent is i / C"),
        (lambda T, C: waves_loop(T, C, -2.0), "frequencies grow with i"),
        (lambda T, C: waves_loop(T, C, 2.0, 1), "Yours begin at 1"),
        (waves_cosine_first, "Sine and cosine have changed places"),
        (waves_of(sign=1), "frequencies grow with i"),
        (waves_of(columns=(torch.sin, torch.sin)), "hold the sine"),
        (lambda T, C: waves_of()(T, C).T, "a position is a row"),
        (waves_of(unit=math.pi / 180), "in degrees"),
        (waves_of(unit=2 * math.pi), "larger by 2 pi"),
        (lambda T, C: torch.zeros(T, C // 2), "The shape is not"),
        (lambda T, C: torch.zeros(T, C), "smallest case where yours differs"),
        (lambda T, C: print(end=""), "did you forget `return`"),
        (lambda T, C: "table", "a tensor is asked for"),
    ],
    "turn": [
        (turn_by(lambda p, f: -p * f), "You turn clockwise"),
        (turn_by(lambda p, f: f), "The position is missing"),
        (turn_by(lambda p, f: p), "The frequency is missing"),
        (turn_by(lambda p, f: p * f / 180 * math.pi), "by degrees"),
        (turn_in_place, "the new x for the new y"),
        (turn_mirrored, "has two minuses"),
        (turn_by(lambda p, f: 2 * math.pi * p * f), "larger by 2 pi"),
        (turn_by(lambda p, f: p + f), "You add position and frequency"),
        (
            lambda pair, p, f: (
                pair[0] * math.cos(p * f) + pair[1] * math.sin(p * f),
                pair[1] * math.cos(p * f) + pair[0] * math.sin(p * f),
            ),
            "is no rotation",
        ),
        (lambda pair, p, f: pair[0], "smallest case where yours differs"),
    ],
    "quarter_scores": [
        ([0, -1, 1, 0, -1], "the wrong way round"),
        ([1, 0, 0, -1, 0], "You took the cosine"),
        ([-1, 1, 1, 1, 0], "left the key where it was"),
        ([1, 0, 0, 1, -1], "left the query where it was"),
        ([0, 1, -1, 0, -1], "You added the two positions"),
        ([0, 1, -1, 0, 0], "The fifth score is off"),
        ([0, 1, -1, 1, 1], "The fourth score is off"),
        ([0, 1, 1, 0, 1], "The third score is off"),
        ([1, 1, 1, 1, 1], "One of the first two"),
        ([0, 1], "Five scores are asked for"),
        ("0 1", "a tensor is asked for"),
    ],
    "rope": [
        (rope_neighbors, "You turn neighbors"),
        (rope_mixed, "You mix two forms"),
        (lambda x, s, b: rope_rows(x, s, b, sign=-1), "You turn clockwise"),
        (lambda x, s, b: rope_rows(x, 0, b), "always begin at position 0"),
        (rope_alike, "does not depend on the position"),
        (rope_slow, "fall half as fast"),
        (lambda x, s, b: rope_rows(x, s, 10_000.0), "do not use `base`"),
        (rope_unsigned, "A sign is missing"),
        (lambda x, s, b: rope_rows(x, s, b, first=1), "stands at start + 1"),
        (rope_in_place, "changes its input"),
        (rope_with(join=torch.stack), "put them back as neighbors"),
        (
            rope_with(split=lambda x: (x[..., 0::2], x[..., 1::2])),
            "put the results into halves",
        ),
        (rope_with(shared=True), "turn at the same speed"),
        (rope_front(0), "You count from the front"),
        (rope_front(1), "You count from the front"),
        (lambda x, s, b: x[..., :1], "The shape is not"),
    ],
    "half_split_rows": [
        (rows_back, "That is the way back"),
        (lambda w, n: rows_by_index(w, 1), "across all heads"),
        (
            lambda w, n: rows_by_view(w, n).view(n, 2, -1, w.shape[1])
            .flip(1).reshape(w.shape),
            "The halves have changed places",
        ),
        (
            lambda w, n: w[:, [*range(0, w.shape[1], 2),
                               *range(1, w.shape[1], 2)]],
            "You order the columns",
        ),
        (lambda w, n: w, "The rows are as they came"),
        (
            lambda w, n: torch.cat(
                (w.view(-1, n, w.shape[1])[0::2],
                 w.view(-1, n, w.shape[1])[1::2])
            ).view(w.shape),
            "pieces of n_heads rows",
        ),
        (
            lambda w, n: torch.cat(
                (w.view(n, -1, w.shape[1])[:, 0::2],
                 w.view(n, -1, w.shape[1])[:, 1::2]), 1
            ),
            "The shape is not",
        ),
        (rows_in_place, "changes its input"),
        (lambda w, n: rows_by_view(w, n).T, "The shape is not"),
    ],
    "linear_bias": [
        (lambda H, T, S: bias_loop(H, T, S, sign=1), "rewards distance"),
        (bias_open, "yours gets a bonus"),
        (lambda H, T, S: -bias_open(H, T, S).abs(), "three places ahead"),
        (
            lambda H, T, S: bias_loop(H, T, S).clamp(min=-99).where(
                bias_loop(H, T, S) > -99, torch.tensor(0.0)
            ),
            "A bias of 0 there",
        ),
        (
            lambda H, T, S: bias_loop(
                H, T, S, lambda h, H: 2 ** (-8 * (h - 1) / H)
            ),
            "first head has slope 1",
        ),
        (
            lambda H, T, S: bias_loop(H, T, S, lambda h, H: 2**-h),
            "slopes are 2 ** -h",
        ),
        (
            lambda H, T, S: bias_loop(H, T, S, lambda h, H: 2 ** (-8 / H)),
            "the same slope",
        ),
        (bias_first_rows, "stand at the first T positions"),
        (
            lambda H, T, S: bias_loop(H, T, S).masked_fill(
                bias_loop(H, T, S) == 0, -torch.inf
            ),
            "hide the query's own position",
        ),
        (lambda H, T, S: bias_loop(H, T, S).mT, "a row is a query"),
        (bias_swapped, "a row is a query"),
        (bias_of_keys, "charge by the key's own position"),
        (
            lambda H, T, S: bias_loop(H, T, S).clamp(min=-1e9),
            "a large negative number",
        ),
        (lambda H, T, S: bias_loop(H, T, S)[0], "The shape is not"),
    ],
    "one_by_one": [
        (
            lambda q, k, rotary: steps(q, k, rotary, lambda t: 0),
            "were never turned",
        ),
        (steps_plain_keys, "Only the queries know"),
        (
            lambda q, k, rotary: (q @ rotary(k, k)[1].T).tril(),
            "Only the keys know",
        ),
        (steps_turned_each_time, "turned again at every step"),
        (steps_turned_twice, "The keys are turned twice"),
        (steps_no_rows, "The shape is not"),
        (
            lambda q, k, rotary: rotary(q, k)[0] @ rotary(q, k)[1].T,
            "keys that come after t",
        ),
        (
            lambda q, k, rotary: (
                rotary(q, k)[0] @ rotary(q, k)[1].T
            ).masked_fill(~torch.ones(len(q), len(q)).tril().bool(),
                          -torch.inf),
            "the task leaves 0",
        ),
        (steps_past_only, "also meets its own key"),
        (
            lambda q, k, rotary: steps(q, k, rotary, lambda t: len(q) - t),
            "smallest case where yours differs",
        ),
    ],
    "unfinished_pairs": [
        (lambda D, b, n: pairs_loop(D, b, n, 1.0), "A full turn is 2 pi"),
        (lambda D, b, n: D // 2 - pairs_loop(D, b, n), "that do finish"),
        (lambda D, b, n: 2 * pairs_loop(D, b, n), "You count columns"),
        (lambda D, b, n: 2 * pairs_loop(D, b, n) / D, "a share of the pairs"),
        (lambda D, b, n: pairs_loop(D, math.sqrt(b), n), "half as fast"),
        (lambda D, b, n: torch.ones(2), "one number is asked for"),
        (lambda D, b, n: pairs_loop(2 * D, b * b, n), "You count D of them"),
        (lambda D, b, n: pairs_loop(D, 1e4, n), "do not use `base`"),
        (lambda D, b, n: pairs_loop(D, b, n, math.pi), "half turns"),
        (lambda D, b, n: pairs_loop(D, b, n, 360), "count in degrees"),
        (
            lambda D, b, n: sum(
                2 * math.pi * b ** (-2 * i / D) > n for i in range(D // 2)
            ),
            "You multiply by the frequency",
        ),
    ],
    "explanation": [
        ("A", "no table of rows"),
        ("B", "keeps the length"),
        ("D", "and harmless"),
        ("E", "The answer is one letter"),
    ],
    "ntk_base": [
        (lambda b, D, f: b * f, "a little too fast still"),
        (lambda b, D, f: b * f ** (1 - 2 / D), "upside down"),
        (lambda b, D, f: b * f ** (D / (D - 1)), "Yours has D - 1"),
        (lambda b, D, f: b / f ** (D / (D - 2)), "turn faster"),
        (lambda b, D, f: f ** (D / (D - 2)), "how many times larger"),
        (lambda b, D, f: (b * f) ** (D / (D - 2)), "gets the exponent"),
        (lambda b, D, f: b ** (D / (D - 2)) * f, "gets the exponent"),
        (lambda b, D, f: b * f ** (D // (D - 2)), "is a whole number"),
        (lambda b, D, f: b * f**2, "smallest case where yours differs"),
    ],
    "is_relative": [
        (
            lambda turn: bool(
                (turn(TWO[0], 3) @ turn(TWO[1], 1))
                == (turn(TWO[0], 43) @ turn(TWO[1], 41))
            )
            and bool(
                (turn(TWO[0], 3) @ turn(TWO[1], 0))
                == (turn(TWO[0], 14) @ turn(TWO[1], 11))
            ),
            "You compare with ==",
        ),
        (moves(TWO, [(3, 1), (0, 5)], [1, 2, 4]), "near the start only"),
        (moves(EQUAL, AWAY, [1, 2, 9, 20]), "one vector as query and as key"),
        (moves(TWO, [(0, 0), (5, 5)], [1, 2, 9, 20]), "at one position only"),
        (moves(TWO, AWAY, [2, 10, 20]), "an even number of places"),
        (
            lambda turn: bool((turn(TWO[0], 5) == turn(TWO[0], 0)).all()),
            "whether the vectors stay the same",
        ),
        (
            lambda turn: all(
                abs(turn(TWO[0], n).norm() - TWO[0].norm()) < 1e-9
                for n in range(64)
            ),
            "whether the length stays",
        ),
        (
            lambda turn: bool(
                torch.isclose(
                    turn(TWO[0], 8) @ turn(TWO[1], 3),
                    turn(TWO[0], 3) @ turn(TWO[1], 8),
                )
            ),
            "You swap the two positions",
        ),
        (lambda turn: True, "Not every scheme is relative"),
        (
            lambda turn: any(
                torch.isclose(turn(TWO[0], m) @ turn(TWO[1], n),
                              turn(TWO[0], m + s) @ turn(TWO[1], n + s))
                for m, n, s in [(3, 1, 0), (3, 1, 1), (5, 2, 7)]
            ),
            "return at the first places",
        ),
        (lambda turn: False, "Some of the schemes are"),
        (lambda turn: 1, "True or False is asked for"),
    ],
}  # fmt: skip


globals().update(held_to(check, RIGHT, WRONG))
