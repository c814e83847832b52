"""Chapter 9's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import scaling_beginners as beginner
import torch
from held import held_to

from llm_utils.checks import scaling as check
from llm_utils.checks.scaling.play import ring_of
from llm_utils.model.zoo import build
from llm_utils.train.accounting import (
    bill,
    flops_per_token,
    matmul_intensity,
    matrix_params,
    ring_bytes,
)
from llm_utils.train.memory import training_memory

# -- 1: run_cost


def cost_by_seconds(N, D, devices, peak, share, price):
    seconds = 6 * N * D / (devices * peak * share)
    return [seconds / 86_400, seconds / 3600 * devices * price]


def cost_named(N, D, devices, peak, share, price):
    hours = 3 * 2 * N * D / (share * peak) / 3600
    return np.array([round(hours / devices / 24, 6), round(hours * price, 2)])


# -- 3: utilization


def shares_listed(N, L, H, D, T, rate, peak, again):
    passes = {"forward": 1, "backward": 2, "again": int(again)}
    once = 2 * N + L * 2 * (2 * H * D * T)
    useful = (passes["forward"] + passes["backward"]) * once * rate / peak
    return [useful, useful + passes["again"] * once * rate / peak]


def shares_palm(N, L, H, D, T, rate, peak, again):
    mfu = rate * (6 * N + 12 * L * H * D * T) / peak
    return torch.tensor([mfu, mfu * 4 / 3 if again else mfu])


# -- 4: product_time


def time_roof(m, k, n, F, W, size):
    flops, moved = 2 * m * k * n, size * (m * k + k * n + m * n)
    wall = "arithmetic" if flops / moved > F / W else "memory"
    return flops / min(F, flops / moved * W), wall


def time_max(m, k, n, F, W, size):
    walls = {"Arithmetic": m * n * (k + k) / F}
    walls["Memory"] = sum((m * k, k * n, n * m)) * size / W
    name = max(walls, key=walls.get)
    return [torch.tensor(walls[name], dtype=torch.float64), name]


# -- 5: bytes_each


def bytes_table(n_params, n, stage):
    weights, gradients, optimizer = [
        (2, 2, 12),
        (2, 2, 12 / n),
        (2, 2 / n, 12 / n),
        (2 / n, 2 / n, 12 / n),
    ][stage]
    return n_params * weights + n_params * gradients + n_params * optimizer


def bytes_if(n_params, n, stage):
    total = 16 * n_params
    for first, size in ((1, 12), (2, 2), (3, 2)):
        if stage >= first:
            total -= size * n_params * (n - 1) / n
    return total


# -- 6: stuck_share


def stuck_loop(w, step):
    still = 0
    for x in w.flatten():
        old = x.to(torch.bfloat16)
        still += int((old.float() - step).to(torch.bfloat16).item() == old)
    return still / w.numel()


def stuck_in_place(w, step):
    new = w.bfloat16().clone()
    new -= step
    return torch.eq(new, w.bfloat16()).double().mean()


# -- 7: step


def gradient(w, x, y):
    return 2 * x.T @ (x @ w - y) / len(x)


def step_alone(w, x, y, n, lr, clip):
    grad = gradient(w, x, y)
    return w - lr * grad * min(1, clip / grad.norm())


def step_strided(w, x, y, n, lr, clip):
    parts = [gradient(w, x[r::n], y[r::n]) for r in range(n)]
    grad = torch.stack(parts).mean(0)
    if grad.norm() > clip:
        grad = grad / grad.norm() * clip
    return (w - lr * grad).tolist()


# -- 8: fit_floor


def floor_lists(D, loss, floors):
    best = None
    for E in floors:
        x, y = [math.log(d) for d in D], [math.log(v - E) for v in loss]
        mx, my = sum(x) / len(x), sum(y) / len(y)
        b = -sum((p - mx) * (q - my) for p, q in zip(x, y, strict=True))
        b /= sum((p - mx) ** 2 for p in x)
        B = math.exp(my + b * mx)
        off = sum((E + B / d**b - v) ** 2 for d, v in zip(D, loss, strict=True))
        if best is None or off < best[0]:
            best = off, E, B, b
    return list(best[1:])


def floor_base_ten(D, loss, floors):
    D, loss, found = np.array(D), np.array(loss), {}
    for E in floors:
        slope, height = np.polyfit(np.log10(D), np.log10(loss - E), 1)
        new = E + 10**height * D**slope
        found[np.square(new - loss).mean()] = E, 10**height, -slope
    return found[min(found)]


# -- 9: my_part


def part_first(x, up, b_up, down, b_down, rank, n):
    """chunk, and the bias on the first rank."""
    h = torch.nn.functional.gelu(x @ up.chunk(n, 1)[rank] + b_up.chunk(n)[rank])
    y = h @ down.chunk(n)[rank]
    return y + b_down if rank == 0 else y


def part_dealt(x, up, b_up, down, b_down, rank, n):
    """Units like cards; the bias on the last rank."""
    h = torch.nn.functional.gelu(x @ up[:, rank::n] + b_up[rank::n])
    return (h @ down[rank::n] + b_down * (rank == n - 1)).numpy()


# -- 10: all_reduce


def reduce_tensor(rank, n, mine):
    pieces = list((torch.tensor(mine) / n).chunk(n))
    for turn in range(2 * n - 2):
        got = yield pieces[(rank - turn) % n]
        at = (rank - turn - 1) % n
        pieces[at] = pieces[at] + got if turn < n - 1 else got
    return torch.cat(pieces)


def reduce_passing(rank, n, mine):
    """The other order of pieces: rank r begins with piece r + 1 ... ."""
    size = len(mine) // n
    cut = {p: mine[p * size : (p + 1) * size] for p in range(n)}
    p = (rank + 1) % n
    message = cut[p]
    for _ in range(n - 1):
        message = yield message
        p = (p - 1) % n
        message = [a + b for a, b in zip(message, cut[p], strict=True)]
    cut[p] = message
    for _ in range(n - 1):
        message = yield message
        p = (p - 1) % n
        cut[p] = message
    return [v / n for p in sorted(cut) for v in cut[p]]


RIGHT = {
    "run_cost": [cost_by_seconds, cost_named],
    "sums": [
        [129, 256, 258, 260, 256],
        lambda: torch.tensor([129.0, 256, 258, 260, 256]),
    ],
    "utilization": [shares_listed, shares_palm],
    "product_time": [time_roof, time_max],
    "bytes_each": [bytes_table, bytes_if],
    "stuck_share": [stuck_loop, stuck_in_place],
    "explanation": ["B", " b) ", lambda: "b"],
    "step": [step_alone, step_strided],
    "fit_floor": [floor_lists, floor_base_ten],
    "my_part": [part_first, part_dealt],
    "all_reduce": [reduce_tensor, reduce_passing],
}

globals().update(held_to(check, RIGHT, beginner.WRONG))


def test_the_sums_are_those_of_torch():
    def add(a, b):
        return (torch.tensor(a, dtype=torch.bfloat16) + b).item()

    counter = torch.tensor(0, dtype=torch.bfloat16)
    for _ in range(1000):
        counter += 1
    four = [add(128, 1), add(256, 1), add(256, 2), add(256, 3)]
    assert [*four, counter.item()] == check.sums.reference()


def test_the_bill_is_that_of_the_package():
    for N, D, devices, peak, share, price in check.run_cost.cases:
        ours = bill(6 * N * D, peak, share, price)
        days, dollars = check.run_cost.reference(
            N, D, devices, peak, share, price
        )
        assert days * 24 * devices == pytest.approx(ours.device_hours)
        assert dollars == pytest.approx(ours.dollars)


def test_the_work_is_that_of_the_package():
    model = build("tiny-llama")
    c = model.cfg
    work = flops_per_token(model, 32)
    sizes = matrix_params(model), c.n_layers, c.n_heads, c.d_head, 32
    assert check.utilization.reference(*sizes, 1, work, False) == (1, 1)


@pytest.mark.parametrize("case", check.product_time.cases)
def test_the_wall_is_where_the_roof_bends(case):
    m, k, n, F, W, size = case
    right = matmul_intensity(m, k, n, size) > F / W
    wall = check.product_time.reference(*case)[1]
    assert (wall == "arithmetic") == right


@pytest.mark.parametrize("case", check.bytes_each.cases)
def test_the_bytes_are_those_of_the_package(case):
    n_params, n, stage = case
    memory = training_memory(n_params, 0, True, stage, n)
    assert check.bytes_each.reference(*case) == pytest.approx(memory.total)


def test_a_ring_sends_what_the_formula_says():
    for n in (1, 2, 3, 5):
        grads = [[1.0] * 30 for _ in range(n)]
        played = ring_of(check.all_reduce.reference)(grads)
        assert played.sent == (ring_bytes("all_reduce", 30, n),) * n
        assert played.turns == 2 * (n - 1)


def test_a_message_is_not_the_senders_own_list():
    """What a rank does to what it got must not reach its neighbor."""

    def rank(rank, n, mine):
        got = yield mine
        got.clear()
        return mine

    assert ring_of(rank)([[1.0], [2.0]]).held == ((1.0,), (2.0,))


def test_ranks_that_stop_at_once_do_not_hang_the_check():
    def rank(rank, n, mine):
        while rank:
            yield mine
        return mine

    stuck = ring_of(rank)([[1.0], [2.0]]).stuck
    assert stuck.startswith("after 0 turns rank 0 has returned")
    assert not check.all_reduce(rank).ok
    assert not check.all_reduce(SimpleNamespace).ok
