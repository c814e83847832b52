"""Wrong answers to chapter 9's exercises, as beginners write them.

Each was written from the untouched stub; `test_scaling_checks` asks what the
check says to it.
"""

import math

import numpy as np
import torch
from torch.nn.functional import gelu


def cost(N, D, devices, peak, share, price, each=6):
    hours = each * N * D / (peak * share) / 3600
    return hours / devices / 24, hours * price


def shares(forward=None, mfu=3, hfu=4):
    def answer(N, L, H, D, T, rate, peak, again):
        once = 2 * N + 4 * L * H * D * T
        once = forward(N, L, H, D, T) if forward else once
        all_of_it = (hfu if again else mfu) * once
        return rate * mfu * once / peak, rate * all_of_it / peak

    return answer


def shares_always(N, L, H, D, T, rate, peak, again):
    model, _ = shares()(N, L, H, D, T, rate, peak, again)
    return model, model / 3 * 4


def shares_again(N, L, H, D, T, rate, peak, again):
    work = (4 if again else 3) * (2 * N + 4 * L * H * D * T)
    return rate * work / peak, rate * work / peak


def time(flops=None, moved=None, join=max, word=None):
    def answer(m, k, n, F, W, size):
        a = flops(m, k, n) if flops else 2 * m * k * n
        b = moved(m, k, n) if moved else m * k + k * n + m * n
        wall = "arithmetic" if a / F > b * size / W else "memory"
        return join([a / F, b * size / W]), word or wall

    return answer


def zero(weights=2, gradients=2, optimizer=12, order="ogw"):
    def answer(n_params, n, stage):
        parts = {"w": weights, "g": gradients, "o": optimizer}
        for part in order[:stage]:
            parts[part] /= n
        return n_params * sum(parts.values())

    return answer


def gradient(w, x, y):
    return 2 * x.T @ (x @ w - y) / len(x)


def step(start=lambda r, size: r * size, clip_part=False, share=None, end=None):
    def answer(w, x, y, n, lr, clip):
        size, total = len(x) // n, 0
        for r in range(n):
            rows = slice(start(r, size), start(r, size) + size)
            grad = gradient(w, x[rows], y[rows])
            if clip_part:
                grad = grad * min(1, clip / grad.norm())
            total = total + grad / (share(n, len(x)) if share else n)
        if not clip_part:
            total = total * min(1, clip / total.norm())
        return w - lr * (end(total, n, clip) if end else total)

    return answer


def step_unclipped(w, x, y, n, lr, clip):
    return w - lr * gradient(w, x, y)


def step_clamped(w, x, y, n, lr, clip):
    return w - lr * gradient(w, x, y).clip(-clip, clip)


def step_clip_sum(w, x, y, n, lr, clip):
    total = n * gradient(w, x, y)
    return w - lr * total * min(1, clip / total.norm()) / n


def floor(pick=min, change=None, log_x=np.log, log_y=np.log, judge="loss"):
    def answer(D, loss, floors):
        D, loss, found = np.array(D), np.array(loss), []
        for E in floors:
            a, b = np.polyfit(log_x(D), log_y(loss - E), 1)
            off = E + np.exp(b) * D**a - loss
            if judge != "loss":
                off = a * log_x(D) + b - log_y(loss - E)
            found.append(((off**2).sum(), E, math.exp(b), -a))
        law = pick(found)[1:]
        return change(*law) if change else law

    return answer


def floor_none(D, loss, floors):
    a, b = np.polyfit(np.log(D), np.log(loss), 1)
    return 0.0, math.exp(b), -a


def floor_half(D, loss, floors):
    return floor()(D, loss, floors)[0], *floor_none(D, loss, floors)[1:]


def floor_turned(D, loss, floors):
    E = floor()(D, loss, floors)[0]
    a, b = np.polyfit(np.log(np.array(loss) - E), np.log(D), 1)
    return E, math.exp(b), -a


def floor_ten(D, loss, floors):
    E, B, b = floor()(D, loss, floors)
    return E, 10 ** math.log(B), b


def floor_exp(D, loss, floors):
    E, B, b = floor()(D, loss, floors)
    return E, math.exp(math.log10(B)), b


def floor_only_rest(D, loss, floors):
    """Straight only in log D."""
    found = []
    for E in floors:
        rest = np.array(loss) - E
        a, b = np.polyfit(np.log(D), rest, 1)
        off = ((a * np.log(D) + b - rest) ** 2).sum()
        found.append((off, E, math.exp(b), -a))
    return min(found)[1:]


def floor_only_log(D, loss, floors):
    """Straight only in D."""
    found, D = [], np.array(D)
    for E in floors:
        rest = np.array(loss) - E
        a, b = np.polyfit(D, np.log(rest), 1)
        off = ((np.exp(a * D + b) - rest) ** 2).sum()
        found.append((off, E, math.exp(b), -a))
    return min(found)[1:]


def part(bias=lambda b, rank, n: b / n, inner=True, act=gelu, last=None):
    def answer(x, up, b_up, down, b_down, rank, n):
        size = up.shape[1] // n
        own = slice(rank * size, (rank + 1) * size)
        h = act(x @ up[:, own] + (b_up[own] if inner else 0))
        y = h @ down[own]
        return (last(y) if last else y) + bias(b_down, rank, n)

    return answer


def part_whole(x, up, b_up, down, b_down, rank, n):
    return gelu(x @ up + b_up) @ down + b_down


def part_first_units(x, up, b_up, down, b_down, rank, n):
    own = slice(0, len(down) // n)
    return gelu(x @ up[:, own] + b_up[own]) @ down[own] + b_down / n


def part_one_rank(x, up, b_up, down, b_down, rank, n):
    if rank > 0:
        return torch.zeros(len(x), down.shape[1])
    return part_whole(x, up, b_up, down, b_down, rank, n)


def part_rows(x, up, b_up, down, b_down, rank, n):
    size = len(up) // n
    own = slice(rank * size, (rank + 1) * size)
    return gelu(x @ up[own] + b_up) @ down + b_down / n


def part_uncut_bias(x, up, b_up, down, b_down, rank, n):
    own = slice(rank * len(down) // n, (rank + 1) * len(down) // n)
    return gelu(x @ up[:, own] + b_up) @ down[own] + b_down / n


def ring(
    out=lambda r, t: r - t, at=lambda r, t: r - t - 1, add=True,
    out2=lambda r, t: r + 1 - t, at2=lambda r, t: r - t, add2=False,
    turns=lambda n: (n - 1, n - 1), end=lambda x, n: x / n,
):  # fmt: skip
    def answer(rank, n, mine):
        size = len(mine) // n
        pieces = [mine[i * size : (i + 1) * size] for i in range(n)]
        for t in range(turns(n)[0]):
            got = yield pieces[out(rank, t) % n]
            old = pieces[at(rank, t) % n] if add else [0.0] * size
            new = [a + b for a, b in zip(old, got, strict=True)]
            pieces[at(rank, t) % n] = new
        for t in range(turns(n)[1]):
            got = yield pieces[out2(rank, t) % n]
            old = pieces[at2(rank, t) % n] if add2 else [0.0] * size
            new = [a + b for a, b in zip(old, got, strict=True)]
            pieces[at2(rank, t) % n] = new
        return [end(x, n) for piece in pieces for x in piece]

    return answer


def ring_whole(rank, n, mine):
    total, passing = np.array(mine), mine
    for _ in range(n - 1):
        passing = yield passing
        total = total + passing
    return total / n


def ring_leader(rank, n, mine):
    """Rank 0 does not pass on: it is the one who asked."""
    yield mine[:1]
    if rank > 0:
        yield mine[:1]
    return mine


def ring_busy(rank, n, mine):
    if n == 1:
        yield mine
    return (yield from ring()(rank, n, mine))


def ring_for_ever(rank, n, mine):
    while True:
        mine = yield mine


def ring_nothing(rank, n, mine):
    yield mine
    print("done")


def ring_silent(rank, n, mine):
    yield
    return mine


def ring_idle(rank, n, mine):
    """Right, and a turn in which nothing is said."""
    done = yield from ring()(rank, n, mine)
    if n > 1:
        yield []
    return done


def ring_plain(rank, n, mine):
    return [x / n for x in mine]


def ring_padded(rank, n, mine):
    """Right, and one turn more than need be."""
    done = yield from ring()(rank, n, mine)
    if n > 1:
        yield mine[:1]
    return done


def stuck(old=None, new=None, end=None):
    def answer(w, step):
        a = old(w) if old else w.bfloat16()
        b = new(w, step) if new else w.bfloat16() - step
        share = (a == b).float().mean()
        return end(share, w) if end else share

    return answer


WRONG = {
    "run_cost": [
        (lambda *a: (cost(*a)[0], cost(*a)[0] * a[-1]), "pay for one device,"),
        (lambda *a: cost(*a, each=2), "the forward pass only"),
        (lambda *a: cost(*a, each=1), "one FLOP for each parameter"),
        (lambda *a: cost(*a, each=4), "the backward pass only"),
        (lambda N, D, n, F, s, p: cost(N, D, n, F, 1, p), "at their peak"),
        (lambda N, D, n, F, s, p: cost(N, D, n, F, 1 / s, p), "run shorter"),
        (
            lambda N, D, n, *a: (cost(N, D, 1, *a)[0], cost(N, D, n, *a)[1]),
            "The days are those of one device",
        ),
        (lambda N, D, n, *a: cost(N, D, 1, *a), "days are those of one"),
        (
            lambda N, D, n, F, s, p: cost(N, D, n, F, s, p / n),
            "The dollars are those of one device",
        ),
        (
            lambda N, D, n, F, s, p: cost(N, D, n, F, s, p * n),
            "pay for the devices twice",
        ),
        (lambda *a: (cost(*a)[0], cost(*a)[1] / 24), "the price of an hour"),
        (lambda *a: (cost(*a)[0] * 24, cost(*a)[1]), "number is hours"),
        (lambda *a: (cost(*a)[0] * 86400, cost(*a)[1]), "number is seconds"),
        (lambda *a: cost(*a)[::-1], "are exchanged"),
        (lambda *a: cost(*a)[0], "one number; two numbers are asked for"),
        (lambda *a: (*cost(*a), 1), "3 values; two numbers"),
        (lambda *a: f"{cost(*a)}", "a str; a list is asked for"),
    ],
    "sums": [
        ([129, 257, 258, 259, 1000], "Those are the exact sums"),
        ([129, 256, 258, 258, 256], "You cut off"),
        ([129, 258, 258, 260, 512], "round a half up"),
        ([129, 258, 258, 260, 256], "round a half up"),
        ([129, 258, 258, 258, 256], "the wrong way round"),
        ([128, 256, 258, 260, 256], "A is not right"),
        ([130, 256, 258, 260, 256], "A is not right"),
        ([129, 256, 256, 260, 256], "C is not right"),
        ([129, 257, 258, 260, 256], "B is not right"),
        ([129, 256, 258, 259, 256], "D is not right"),
        ([129, 256, 258, 260, 1000], "the counter E is not"),
        ([129, 256, 258, 260], "exactly five numbers, A to E"),
        (256, "an int; a list is asked for"),
    ],
    "utilization": [
        (shares_always, "always count a second forward pass"),
        (lambda *a: [x / a[5] for x in shares()(*a)], "The rate is missing"),
        (shares_again, "MFU must not count work that is done twice"),
        (shares(hfu=3), "The second share counts all work"),
        (shares(mfu=1, hfu=2), "You count the forward pass only"),
        (shares(mfu=2, hfu=3), "You count the backward pass only"),
        (shares(lambda N, L, H, D, T: 2 * N), "Looking back is missing"),
        (
            shares(lambda N, L, H, D, T: N + 4 * L * H * D * T),
            "one FLOP for each parameter",
        ),
        (
            shares(lambda N, L, H, D, T: 2 * N + 2 * L * H * D * T),
            "half of looking back",
        ),
        (
            shares(lambda N, L, H, D, T: 2 * N + L * H * D * T),
            "a quarter of looking back",
        ),
        (
            shares(lambda N, L, H, D, T: 2 * N + 4 * L * H * D * T**2),
            "T, not T squared",
        ),
        (
            shares(lambda N, L, H, D, T: 2 * N + 4 * H * D * T),
            "looking back in one layer",
        ),
        (lambda *a: shares()(*a)[::-1], "are exchanged"),
        (lambda *a: [100 * x for x in shares()(*a)], "percentages"),
        (lambda *a: [1 / x for x in shares()(*a)], "the wrong way round"),
        (lambda *a: shares()(*a)[0], "one number; two numbers"),
    ],
    "product_time": [
        (time(lambda m, k, n: m * k * n), "one FLOP for each pair"),
        (time(join=sum), "You add both times"),
        (time(join=min), "You take the shorter time"),
        (time(moved=lambda m, k, n: m * k + k * n), "forget to write"),
        (time(moved=lambda m, k, n: k * n), "the second matrix only"),
        (time(moved=lambda m, k, n: m * k * n), "fetch two numbers anew"),
        (
            lambda m, k, n, F, W, size: time()(m, k, n, F, W, 1),
            "W is in bytes",
        ),
        (
            lambda *a: (
                time()(*a)[0],
                "memory" if time()(*a)[1][0] == "a" else "arithmetic",
            ),
            "the word is not",
        ),
        (lambda *a: (1 / time()(*a)[0], time()(*a)[1]), "wrong way round"),
        (time(word="compute"), "The word is 'arithmetic' or 'memory'"),
        (lambda *a: time()(*a)[0], "seconds and a word"),
        (lambda *a: time()(*a)[::-1], "seconds and a word"),
    ],
    "bytes_each": [
        (lambda N, *a: zero()(1, *a), "the bytes of one parameter"),
        (zero(optimizer=8), "float32 copy of the weights is missing"),
        (zero(4, 4, 8), "everything in float32"),
        (zero(optimizer=0), "forget the optimizer"),
        (zero(6, 2, 8), "stays whole until stage 3"),
        (zero(order="wgo"), "the weights first"),
        (zero(order="gow"), "gradients at stage 1"),
        (
            lambda N, n, s: N * sum(
                size / n if s == k else size
                for k, size in ((3, 2), (2, 2), (1, 12))
            ),
            "Each of your stages cuts one thing",
        ),
        (lambda N, n, s: 16 * N / (n if s else 1), "cuts everything"),
        (lambda N, n, s: 16 * N, "Nothing is cut"),
        (lambda N, n, s: zero()(N, n, s + 1), "one too early"),
        (lambda N, n, s: zero()(N, n, max(0, s - 1)), "one too late"),
        (lambda N, n, s: n * zero()(N, n, s), "all devices together"),
        (lambda *a: zero()(*a) / 1e9, "Those are gigabytes"),
        (lambda *a: zero()(*a) / 2**30, "Those are gibibytes"),
        (lambda *a: [zero()(*a)], "a list; a number is asked for"),
    ],
    "stuck_share": [
        (lambda w, s: (w - s == w).float().mean(), "none that stands still"),
        (
            lambda w, s: float(torch.tensor(s).bfloat16() == 0),
            "none that stands still",
        ),
        (
            stuck(lambda w: w.half(), lambda w, s: w.half() - s),
            "That is float16",
        ),
        (
            stuck(new=lambda w, s: (w - s).bfloat16()),
            "in float32 until the comparison",
        ),
        (stuck(lambda w: w), "compare with the rounded one"),
        (stuck(end=lambda share, w: 1 - share), "the share that moves"),
        (stuck(end=lambda share, w: 100 * share), "a percentage"),
        (stuck(end=lambda share, w: share * w.numel()), "how many stand"),
        (
            lambda w, s: w.bfloat16() - s == w.bfloat16(),
            "one number is asked for",
        ),
        (lambda w, s: None, "did you forget `return`"),
    ],
    "explanation": [
        ("A", "the same step"),
        ("C", "the range of float32"),
        ("D", "nothing adds up"),
        ("E", "The answer is one letter"),
        (2, "a letter such as 'A'"),
    ],
    "step": [
        (
            step(lambda r, size: r, True, lambda n, rows: 1),
            "All three bugs are still there",
        ),
        (step(clip_part=True, share=lambda n, rows: 1), "dealt out right now"),
        (step(lambda r, size: r, True), "is a mean now"),
        (
            step(lambda r, size: r, end=lambda g, n, clip: g * n),
            "smallest case",
        ),
        (step(lambda r, size: r), "rows overlap"),
        (step(lambda r, size: 0), "the same rows"),
        (step(clip_part=True), "Each rank clips its own"),
        (step_clip_sum, "You clip the sum"),
        (step_unclipped, "Nothing is clipped any more"),
        (step(end=lambda g, n, clip: g / n), "divide the learning rate by n"),
        (step(end=lambda g, n, clip: -g), "uphill"),
        (
            step(end=lambda g, n, clip: g * clip / g.norm()),
            "Short gradients are stretched",
        ),
        (step_clamped, "Each number is cut off by itself"),
        (step(share=lambda n, rows: rows // n), "the rows of a rank"),
        (step(share=lambda n, rows: rows), "the rows of the batch"),
        (step(share=lambda n, rows: n * n), "twice"),
        (step(share=lambda n, rows: 1), "added up and not averaged"),
        (lambda *a: print(a[0]), "did you forget `return`"),
    ],
    "fit_floor": [
        (floor_none, "You fit without a floor"),
        (floor_half, "E is right, but the line"),
        (floor(lambda f: max(f, key=lambda law: law[1])), "largest floor"),
        (floor(max), "the floor with the largest error"),
        (floor(judge="logs"), "If you take those of the logarithms"),
        (floor(change=lambda E, B, b: (E, B, -b)), "its sign turned"),
        (floor(change=lambda E, B, b: (E, math.log(B), b)), "its logarithm"),
        (floor_exp, "the logs are to base 10"),
        (floor_ten, "exp, not 10 ** height"),
        (floor_only_log, "and not of D"),
        (floor_only_rest, "smallest case"),
        (floor_turned, "D as a function of the loss"),
        (floor(change=lambda E, B, b: (B, b, E)), "E, B, b"),
        (floor(change=lambda E, B, b: E), "one number; three numbers"),
    ],
    "my_part": [
        (part(lambda b, rank, n: b), "b_down is added on each rank"),
        (part(lambda b, rank, n: 0), "b_down never comes in"),
        (part(inner=False), "b_up never comes in"),
        (part(act=lambda x: x), "The GELU is missing"),
        (
            part(lambda b, rank, n: b * (rank == 0), act=torch.clone,
                 last=gelu),
            "The GELU comes last",
        ),
        (part_whole, "Each rank computes the whole layer"),
        (lambda *a: part_whole(*a) / a[-1], "gives an n-th of it"),
        (
            lambda *a: part(lambda b, rank, n: b)(*a) / a[-1],
            "Only b_down may be divided",
        ),
        (part_first_units, "take the same hidden units"),
        (part_one_rank, "one rank does all the work"),
        (lambda *a: part()(*a) / a[-1], "You divide by n"),
        (part_rows, "Shapes do not fit"),
        (part_uncut_bias, "Shapes do not fit"),
        (lambda *a: None, "nothing (None) on one of the ranks"),
        (lambda *a: part(last=torch.relu)(*a), "smallest case"),
    ],
    "all_reduce": [
        (ring(end=lambda x, n: x), "All ranks hold the sum"),
        (ring(end=lambda x, n: x / n / n), "divide by n twice"),
        (ring(turns=lambda n: (n - 1, 0)), "You stop after the first half"),
        (ring(add2=True), "You add in the second half"),
        (ring(add=False), "Nothing is added up"),
        (
            ring(out2=lambda r, t: r - t, at2=lambda r, t: r - t - 1),
            "Nothing is added up",
        ),
        (
            ring(lambda r, t: r + t, lambda r, t: r + t - 1, True,
                 lambda r, t: r + 1 + t, lambda r, t: r + t),
            "in rising order",
        ),
        (
            ring(turns=lambda n: (max(0, n - 2), n - 1)),
            "first half has one turn too few",
        ),
        (
            ring(turns=lambda n: (n - 1, max(0, n - 2))),
            "second half has one turn too few",
        ),
        (
            ring(turns=lambda n: (n if n > 1 else 0, n - 1)),
            "one turn too many",
        ),
        (ring_whole, "each sends whole gradients"),
        (ring_leader, "The ring hangs"),
        (ring_busy, "With one rank there is nothing to pass"),
        (ring_for_ever, "The messages never end"),
        (ring_padded, "more is sent than need be"),
        (ring_idle, "more than 2 (n - 1) turns"),
        (ring_nothing, "returns nothing at its end"),
        (ring_silent, "yields nothing"),
        (ring_plain, "a rank has to pass messages"),
    ],
}  # fmt: skip
