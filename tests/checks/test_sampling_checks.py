"""Chapter 10's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import math
from itertools import pairwise

import torch
from held import held_to

from llm_utils.checks import sampling as check

# -- 1: top_k


def top_k_sorted(logits, k):
    out = torch.full_like(logits, -math.inf)
    for i in logits.argsort(descending=True)[:k]:
        out[i] = logits[i]
    return out


def top_k_list(logits, k):
    least = sorted(logits.tolist(), reverse=True)[min(k, len(logits)) - 1]
    return [z if z >= least else -math.inf for z in logits.tolist()]


def top_k_zeros(logits, k):
    out = torch.zeros_like(logits)
    kept = logits.argsort(descending=True)[:k]
    out[kept] = logits[kept]
    return out


def top_k_upward(logits, k):
    out = torch.full_like(logits, -math.inf)
    kept = logits.argsort()[:k]
    out[kept] = logits[kept]
    return out


def top_k_prefix(logits, k):
    out = torch.full_like(logits, -math.inf)
    out[:k] = logits[:k]
    return out


def top_k_strict(logits, k):
    least = logits.topk(min(k, len(logits))).values[-1]
    return torch.where(logits > least, logits, -math.inf)


def top_k_values(logits, k):
    return logits.topk(min(k, len(logits))).values


def top_k_probs(logits, k):
    return top_k_sorted(logits, k).softmax(0)


# -- 3: nucleus


def nucleus_loop(probs, p):
    out, total = torch.zeros(len(probs)), 0.0
    for i in probs.argsort(descending=True).tolist():
        if total >= p - 1e-6:
            break
        out[i] = probs[i]
        total += float(probs[i])
    return out / out.sum()


def nucleus_vectors(probs, p):
    ranked, order = probs.sort(descending=True)
    ranked[ranked.cumsum(0) - ranked >= p - 1e-6] = 0
    out = torch.zeros_like(probs)
    out[order] = ranked
    return (out / out.sum()).tolist()


def nucleus_short(probs, p):
    ranked, order = probs.sort(descending=True)
    ranked[ranked.cumsum(0) > p] = 0
    out = torch.zeros_like(probs)
    out[order] = ranked
    return out / out.sum()


def nucleus_unscaled(probs, p):
    return (nucleus_loop(probs, p) > 0) * probs


def nucleus_unsorted(probs, p):
    out, total = torch.zeros(len(probs)), 0.0
    for i, q in enumerate(probs.tolist()):
        if total >= p - 1e-6:
            break
        out[i] = q
        total += q
    return out / out.sum()


def nucleus_min_p(probs, p):
    out = torch.where(probs >= p * probs.max(), probs, 0)
    return out / out.sum()


# -- 4: race


def race_clocks(logits, u):
    return ((-u.log()) / logits.exp()).argmin()


def race_loop(logits, u):
    bonus = [z - math.log(-math.log(v)) for z, v in zip(logits, u, strict=True)]
    return bonus.index(max(bonus))


# -- 5: banned


def banned_dict(ids, n):
    after = {}
    for i in range(len(ids) - n + 1):
        phrase = tuple(ids[i : i + n])
        after.setdefault(phrase[:-1], set()).add(phrase[-1])
    return after.get(tuple(ids[len(ids) - n + 1 :]), set())


def banned_strings(ids, n):
    end = ids[-(n - 1) :] if n > 1 else []
    return [
        ids[i] for i in range(n - 1, len(ids)) if ids[i - n + 1 : i] == end
    ]


def banned_full(ids, n):
    end = ids[-n:]
    return {ids[i] for i in range(n, len(ids)) if ids[i - n : i] == end}


def banned_early(ids, n):
    end = ids[-(n - 1) :] if n > 1 else []
    last = len(ids) - 1
    return {ids[i] for i in range(n - 1, last) if ids[i - n + 1 : i] == end}


def banned_one(ids, n):
    if n == 1:
        return set(ids)
    return {b for a, b in pairwise(ids) if a == ids[-1]}


# -- 6: waits


def waits_loop(text, stops):
    most = 0
    for stop in stops:
        for k in range(1, len(stop)):
            if text.endswith(stop[:k]):
                most = max(most, k)
    return most


def waits_suffixes(text, stops):
    for i in range(len(text)):
        tail = text[i:]
        if any(s.startswith(tail) and s != tail for s in stops):
            return len(tail)
    return 0


def waits_first_found(text, stops):
    found = [
        k for s in stops for k in range(1, len(s)) if text.endswith(s[:k])
    ]
    return min(found) if found else 0


def waits_always(text, stops):
    longest = max([len(s) for s in stops], default=1)
    return min(len(text), longest - 1)


def waits_whole(text, stops):
    most = 0
    for stop in stops:
        for k in range(1, len(stop) + 1):
            if text.endswith(stop[:k]):
                most = max(most, k)
    return most


def waits_never(text, stops):
    return sum(len(s) for s in stops if text.endswith(s)) * 0


# -- 8: beam


def beam_lists(start, table, n, width):
    beams = [([i], p) for i, p in enumerate(start.tolist())]
    for step in range(n):
        if step:
            beams = [
                ([*ids, j], p + q)
                for ids, p in beams
                for j, q in enumerate(table[ids[-1]].tolist())
            ]
        beams.sort(key=lambda beam: beam[1], reverse=True)
        beams = beams[:width]
    return beams[0][0]


def beam_tensors(start, table, n, width):
    V = len(start)
    score, rows = start.topk(min(width, V)).values, None
    rows = start.topk(min(width, V)).indices[:, None]
    for _ in range(n - 1):
        total = (score[:, None] + table[rows[:, -1]]).flatten()
        score, best = total.topk(min(width, len(total)))
        rows = torch.cat((rows[best // V], (best % V)[:, None]), 1)
    return rows[0]


def beam_greedy(start, table, n, width):
    ids = [int(start.argmax())]
    while len(ids) < n:
        ids.append(int(table[ids[-1]].argmax()))
    return ids


def beam_last(start, table, n, width):
    beams = sorted([(float(p), [i]) for i, p in enumerate(start)],
                   key=lambda x: -x[0])[:width]  # fmt: skip
    for _ in range(n - 1):
        longer = [(float(q), [*ids, j]) for _, ids in beams
                  for j, q in enumerate(table[ids[-1]])]  # fmt: skip
        beams = sorted(longer, key=lambda x: -x[0])[:width]
    return beams[0][1]


def beam_longer(start, table, n, width):
    return beam_lists(start, table, n + 1, width)


RIGHT = {
    "top_k": [top_k_sorted, top_k_list],
    "kept": [[3, 2, 3, 2, 1], lambda: (3, 2, 3, 2, 1)],
    "nucleus": [nucleus_loop, nucleus_vectors],
    "race": [race_clocks, race_loop],
    "banned": [banned_dict, banned_strings],
    "waits": [waits_loop, waits_suffixes],
    "explanation": ["B", lambda: "b"],
    "beam": [beam_lists, beam_tensors],
}
WRONG = {
    "top_k": [
        (top_k_zeros, "has the score 0"),
        (top_k_upward, "You keep the lowest scores"),
        (top_k_prefix, "first k ids"),
        (top_k_strict, "One token too few"),
        (top_k_values, "keep all V places"),
        (top_k_probs, "That are probabilities"),
    ],
    "kept": [
        ([5, 2, 3, 2, 1], "A is the easy one"),
        ([3, 1, 3, 2, 1], "the one that crosses the line"),
        ([3, 4, 3, 2, 1], "Add up from the likeliest"),
        ([3, 2, 2, 2, 1], "not yet 0.75"),
        ([3, 2, 3, 1, 1], "a share of the likeliest: 0.35 * 0.5"),
        ([3, 2, 3, 3, 1], "D is not right"),
        ([3, 2, 3, 2, 3], "the temperature comes first"),
        ([3, 2, 3, 2], "exactly five numbers"),
    ],
    "nucleus": [
        (nucleus_short, "crosses the line is dropped"),
        (nucleus_unscaled, "divide by its sum"),
        (nucleus_unsorted, "order of the ids"),
        (nucleus_min_p, "That is min-p"),
    ],
    "race": [
        (lambda z, u: (z + u.log()).argmax(), "one logarithm too few"),
        (lambda z, u: (z + (-u.log()).log()).argmax(), "sign is turned"),
        (
            lambda z, u: (z.softmax(0) - (-u.log()).log()).argmax(),
            "bonus to probabilities",
        ),
        (lambda z, u: (z + u).argmax(), "You add u itself"),
        (lambda z, u: z.argmax(), "greedy choice"),
    ],
    "banned": [
        (banned_full, "compare the last n - 1"),
        (banned_early, "stops one place too early"),
        (lambda ids, n: set(ids), "everything that was said"),
        (banned_one, "followed the last id alone"),
    ],
    "waits": [
        (waits_first_found, "shortest beginning"),
        (waits_always, "You always hold back"),
        (waits_whole, "a stop string that is whole"),
        (lambda text, stops: waits_loop(text, stops[:1]), "first stop string"),
        (waits_never, "whole stop string"),
    ],
    "explanation": [
        ("A", "does not make the model sharper"),
        ("C", "whatever their length"),
        ("D", "far beyond what chance would do"),
        ("E", "one letter"),
    ],
    "beam": [
        (beam_greedy, "That is greedy"),
        (beam_last, "last token alone"),
        (
            lambda start, table, n, width: check.beam.mistakes[2].does(
                start, table, n, width
            ),
            "Rank all continuations together",
        ),
        (beam_longer, "wrong length"),
    ],
}
globals().update(held_to(check, RIGHT, WRONG))
