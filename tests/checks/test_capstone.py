"""Chapter 17's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

from __future__ import annotations

import math

import numpy as np
from held import held_to

from llm_utils.checks import capstone as check

# -- 1: tokens_in_budget


def tokens_plain(speed, minutes, n_params, extra):
    flops = speed * minutes * 60
    return flops / (6 * n_params + 6 * n_params * extra)


def tokens_whole(speed, minutes, n_params, extra):
    return round(tokens_plain(speed, minutes, n_params, extra))


def tokens_seconds(speed, minutes, n_params, extra):
    return tokens_plain(speed, minutes / 60, n_params, extra)


def tokens_forward(speed, minutes, n_params, extra):
    return 3 * tokens_plain(speed, minutes, n_params, extra)


def tokens_one(speed, minutes, n_params, extra):
    return 6 * tokens_plain(speed, minutes, n_params, extra)


def tokens_blind(speed, minutes, n_params, extra):
    return speed * minutes * 60 / (6 * n_params)


def tokens_more(speed, minutes, n_params, extra):
    return tokens_blind(speed, minutes, n_params, extra) * (1 + extra)


# -- 3: rate_at


def rate_ifs(used, budget, peak, warmup, decay):
    u = used / budget
    if u >= 1:
        return 0.0
    rate = 1.0
    if u < warmup:
        rate = u / warmup
    return peak * min(rate, (1 - u) / decay)


def rate_numpy(used, budget, peak, warmup, decay):
    u = np.array(used) / budget
    return peak * np.clip(min(u / warmup, (1 - u) / decay), 0, 1)


def rate_seconds(used, budget, peak, warmup, decay):
    return peak * max(0.0, min(used / warmup, 1, (budget - used) / decay))


def rate_negative(used, budget, peak, warmup, decay):
    u = used / budget
    return peak * min(u / warmup, 1, (1 - u) / decay)


def rate_slow(used, budget, peak, warmup, decay):
    u = used / budget
    return peak * max(0, min(u / warmup, 1, 1 - u))


def rate_level(used, budget, peak, warmup, decay):
    return peak * min(used / budget / warmup, 1)


def rate_cold(used, budget, peak, warmup, decay):
    return peak * max(0, min(1, (1 - used / budget) / decay))


def rate_product(used, budget, peak, warmup, decay):
    u = used / budget
    return peak * min(u / warmup, 1) * max(0, 1 - u) / decay


# -- 4: steps_taken


def steps_while(durations, budget):
    used, i = 0.0, 0
    while i < len(durations):
        if i and used + max(durations[max(0, i - 3) : i]) > budget:
            break
        used += durations[i]
        i += 1
    return i


def steps_for(durations, budget):
    used = 0
    for i, d in enumerate(durations, 1):
        used += d
        if used + max(durations[:i][-3:]) > budget:
            return i
    return len(durations)


def steps_late(durations, budget):
    used, steps = 0, 0
    while used < budget and steps < len(durations):
        used += durations[steps]
        steps += 1
    return steps


def steps_if(ask):
    def steps(durations, budget):
        used = 0
        for i, d in enumerate(durations, 1):
            used += d
            if ask(used, durations[:i], budget):
                return i
        return len(durations)

    return steps


# -- 5: above_entropy


def above_numpy(model, world):
    model, world = np.array(model), np.array(world)
    return 100 * (model - world).sum() / world.sum()


def above_means(model, world):
    return 100 * (np.mean(model) / np.mean(world) - 1)


# -- 6: ranking


def ranking_table(lines):
    last = {(name, seed): score for name, seed, score in lines}
    names = {name for name, _ in last}
    mean = {n: np.mean([v for (m, _), v in last.items() if m == n])
            for n in names}  # fmt: skip
    return sorted(names, key=lambda n: mean[n])


def ranking_tuple(lines):
    return tuple(ranking_table(lines))


def ranking_by(value, once=True):
    def ranking(lines):
        kept = {}
        for i, (name, seed, score) in enumerate(lines):
            kept.setdefault(name, {})[seed if once else i] = score
        return sorted(kept, key=lambda n: value([*kept[n].values()]))

    return ranking


# -- 8: paired_gain


def gain_numpy(without, with_it):
    d = np.log(without) - np.log(with_it)
    return d.mean(), d.std(ddof=1) / len(d) ** 0.5


def gain_list(without, with_it):
    return [float(x) for x in gain_numpy(without, with_it)]


def gain_unpaired(without, with_it):
    a, b = np.log(without), np.log(with_it)
    error = (a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)) ** 0.5
    return a.mean() - b.mean(), error


def gain_spread(without, with_it):
    d = np.log(without) - np.log(with_it)
    return d.mean(), d.std(ddof=1)


def gain_n(without, with_it):
    d = np.log(without) - np.log(with_it)
    return d.mean(), d.std() / len(d) ** 0.5


def gain_sign(without, with_it):
    gain, error = gain_numpy(without, with_it)
    return -gain, error


def gain_points(without, with_it):
    d = np.array(without) - np.array(with_it)
    return d.mean(), d.std(ddof=1) / len(d) ** 0.5


def gain_factor(without, with_it):
    gain, error = gain_numpy(without, with_it)
    return math.exp(gain), error


HAND = [1600, 0.2, 0.5, 50, 0.45]


def but(place, value):
    return [value if i == place else x for i, x in enumerate(HAND)]


RIGHT = {
    "tokens_in_budget": [tokens_plain, tokens_whole],
    "by_hand": [HAND, lambda: tuple(HAND)],
    "rate_at": [rate_ifs, rate_numpy],
    "steps_taken": [steps_while, steps_for],
    "above_entropy": [above_numpy, above_means],
    "ranking": [ranking_table, ranking_tuple],
    "explanation": ["B", lambda: "b"],
    "paired_gain": [gain_numpy, gain_list],
}
WRONG = {
    "tokens_in_budget": [
        (tokens_seconds, "times 60"),
        (tokens_forward, "way back"),
        (tokens_one, "six FLOPs"),
        (tokens_blind, "1 + extra"),
        (tokens_more, "fewer of them"),
    ],
    "by_hand": [
        (but(0, 1.6), "thousand in a"),
        (but(1, 0.8), "what is left"),
        (but(1, 0.0), "clock stops before"),
        (but(2, 0.6), "half of the"),
        (but(3, 33.3), "wrong side"),
        (but(3, 0.5), "percentage"),
        (but(4, 0.35), "multiply"),
        (but(0, 7), "80 / 0.05"),
        (but(1, 0.7), "2000 - A"),
        (but(2, 0.9), "1 - 40"),
        (but(3, 7), "60 - 40"),
        (but(4, 0.9), "0.75"),
        (HAND[:3], "exactly five"),
    ],
    "rate_at": [
        (rate_seconds, "shares of the budget"),
        (rate_negative, "negative"),
        (rate_slow, "divide what is left"),
        (rate_level, "never falls"),
        (rate_cold, "no warm-up"),
        (rate_product, "not the product"),
    ],
    "steps_taken": [
        (steps_late, "time is up"),
        (steps_if(lambda u, d, b: u + max(d[-3:]) >= b), "too few"),
        (steps_if(lambda u, d, b: u + d[-1] > b), "poor guess"),
        (steps_if(lambda u, d, b: u + max(d) > b), "hiccup"),
        (steps_if(lambda u, d, b: u + np.mean(d[-3:]) > b), "mean"),
    ],
    "above_entropy": [
        (lambda m, w: 100 * np.mean(np.array(m) / w - 1), "own percentages"),
        (lambda m, w: sum(m) / sum(w) - 1, "hundred"),
        (lambda m, w: 100 * (1 - sum(w) / sum(m)), "the floor is the unit"),
        (lambda m, w: 100 * sum(m) / sum(w), "perfect model"),
        (lambda m, w: (sum(m) - sum(w)) / len(w), "nats a story"),
        (
            lambda m, w: 100 * math.expm1((sum(m) - sum(w)) / len(m)),
            "perplexity",
        ),
    ],
    "ranking": [
        (ranking_by(min), "best seed"),
        (ranking_by(lambda v: -np.mean(v)), "smallest"),
        (ranking_by(sum), "sum punishes"),
        (ranking_by(np.mean, once=False), "same seed"),
        (ranking_by(max), "worst seed"),
    ],
    "explanation": [
        ("A", "same stories"),
        ("C", "tokens"),
        ("D", "independent"),
        ("E", "one letter"),
    ],
    "paired_gain": [
        (gain_unpaired, "two independent"),
        (gain_spread, "root of their number"),
        (gain_n, "n - 1"),
        (gain_sign, "wrong way round"),
        (gain_points, "difference of the scores"),
        (gain_factor, "Its logarithm"),
    ],
}
globals().update(held_to(check, RIGHT, WRONG))
