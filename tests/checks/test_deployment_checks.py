"""Chapter 13's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import heapq
import html
import json
import math

import numpy as np
from held import held_to

from llm_utils.checks import deployment as check

# -- 1: read_events


def events_loop(stream):
    out = []
    for line in stream.splitlines():
        if line[:5] == "data:":
            rest = line[5:].strip()
            if rest == "[DONE]":
                return out
            out.append(json.loads(rest))
    return out


def events_lazy(stream):
    for line in stream.split("\n"):
        name, _, value = line.partition(":")
        if name == "data":
            if value.strip() == "[DONE]":
                return
            yield json.loads(value)


def events_by_block(stream):
    found = []
    for block in stream.split("\n\n"):
        if not block.startswith("data:"):
            continue
        if block == "data: [DONE]":
            break
        found.append(json.loads(block[5:].split("\n")[0]))
    return found


def events_no_end(stream):
    return [json.loads(x[5:]) for x in stream.split("\n") if x[:5] == "data:"]


def events_spaced(stream):
    found = []
    for line in stream.split("\n"):
        if line.startswith("data: "):
            if line[6:] == "[DONE]":
                break
            found.append(json.loads(line[6:]))
    return found


def events_text(stream):
    texts = [x[5:].strip() for x in stream.split("\n") if x[:5] == "data:"]
    return texts[: texts.index("[DONE]")] if "[DONE]" in texts else texts


def events_on(stream):
    lines = [x[5:].strip() for x in stream.split("\n") if x[:5] == "data:"]
    return [json.loads(x) for x in lines if x != "[DONE]"]


# -- 3: starts


def starts_heap(lengths, places):
    free, out = [0] * places, []
    for n in lengths:
        now = heapq.heappop(free)
        out.append(now)
        heapq.heappush(free, now + n)
    return out


def starts_min(lengths, places):
    free = np.zeros(places, dtype=int)
    out = []
    for n in lengths:
        place = free.argmin()
        out.append(free[place])
        free[place] += n
    return np.array(out)


def starts_static(lengths, places):
    out, now = [], 0
    for i in range(0, len(lengths), places):
        batch = lengths[i : i + places]
        out += [now] * len(batch)
        now += max(batch)
    return out


def starts_ends(lengths, places):
    return [s + n for s, n in zip(starts_heap(lengths, places), lengths,
                                  strict=True)]  # fmt: skip


def starts_one(lengths, places):
    return [0, *np.cumsum(lengths)[:-1].tolist()]


def starts_in_turn(lengths, places):
    free, out = [0] * places, []
    for i, n in enumerate(lengths):
        out.append(free[i % places])
        free[i % places] += n
    return out


# -- 4: locate


def locate_divmod(table, size, t):
    number, place = divmod(t, size)
    return table[number], place


def locate_walk(table, size, t):
    for block in table:
        if t < size:
            return [block, t]
        t -= size


# -- 5: fit


def fit_loop(lengths, blocks, size):
    count = 0
    for n in lengths:
        blocks -= math.ceil(n / size)
        if blocks < 0:
            break
        count += 1
    return count


def fit_sums(lengths, blocks, size):
    needs = np.cumsum([(n + size - 1) // size for n in lengths])
    return (needs <= blocks).sum()


def fit_with(need):
    def fit(lengths, blocks, size):
        needs = np.cumsum([need(n, size, lengths) for n in lengths])
        return int((needs <= blocks).sum())

    return fit


def fit_skip(lengths, blocks, size):
    count = 0
    for n in lengths:
        need = math.ceil(n / size)
        if need <= blocks:
            blocks -= need
            count += 1
    return count


# -- 6: escape


def escape_table(text):
    spelled = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    return "".join(spelled.get(c, c) for c in text)


def escape_late(text):
    for a, b in (("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("&", "&amp;")):
        text = text.replace(a, b)
    return text


def escape_some(signs):
    def escape(text):
        return "".join(html.escape(c) if c in signs else c for c in text)

    return escape


def escape_taking(text):
    return "".join(c for c in text if c not in '<>&"')


# -- 8: deal


def deal_lists(lengths, patience, places):
    line = list(range(len(lengths)))
    left, here, out = list(lengths), [], []
    while line or here:
        while line and len(here) < places:
            reader = line.pop(0)
            if patience[reader] >= len(out):
                here.append(reader)
        if here:
            reader = here.pop(0)
            out.append(reader)
            left[reader] -= 1
            if left[reader] > 0:
                here.append(reader)
    return out


def deal_lazy(lengths, patience, places):
    yield from deal_lists(lengths, patience, places)


def deal_with(gone=lambda waited, patience: waited > patience, whole=False,
              last=False):  # fmt: skip
    def deal(lengths, patience, places):
        line = list(range(len(lengths)))
        left, here, out = list(lengths), [], []
        while line or here:
            while line and len(here) < places:
                reader = line.pop(-1 if last else 0)
                if not gone(len(out), patience[reader]):
                    here.append(reader)
            if here:
                reader = here.pop(0)
                n = left[reader] if whole else 1
                out += [reader] * n
                left[reader] -= n
                if left[reader]:
                    here.append(reader)
        return out

    return deal


RIGHT = {
    "read_events": [events_loop, events_lazy],
    "steps": [[12, 8, 11, 6], lambda: (12.0, 8, np.int64(11), 6)],
    "starts": [starts_heap, starts_min],
    "locate": [locate_divmod, locate_walk],
    "fit": [fit_loop, fit_sums],
    "escape": [escape_table, html.escape],
    "explanation": ["B", "b)"],
    "deal": [deal_lists, deal_lazy],
}

WRONG = {
    "read_events": [
        (events_by_block, "Go line by line"),
        (events_no_end, "Stop when it comes"),
        (events_spaced, "may be missing"),
        (events_text, "json.loads gives the object"),
        (events_on, "what comes after it does not belong"),
    ],
    "steps": [
        ([8, 12, 6, 11], "refilled ones first"),
        ([12, 7.5, 11, 5], "A reply cannot be cut"),
        ([12, 7.5, 11, 6], "A reply cannot be cut"),
        ([15, 15, 15, 15], "as if there were one place"),
        ([8, 8, 6, 6], "the longest of this one"),
        ([12, 12, 11, 11], "at the very next step"),
        ([12, 8, 12, 8], "count as with two"),
        ([12, 8], "four numbers are asked for"),
    ],
    "starts": [
        (starts_static, "static batching"),
        (starts_ends, "Those are the ends"),
        (starts_one, "one place only"),
        (lambda lengths, places: [0] * len(lengths), "All begin at 0"),
        (starts_in_turn, "deal the readers"),
        (lambda a, b: [x + 1 for x in starts_heap(a, b)], "count at 1"),
    ],
    "locate": [
        (lambda table, size, t: divmod(t, size), "The table says"),
        (
            lambda table, size, t: (t % size, table[t // size]),
            "wrong way round",
        ),
        (lambda table, size, t: (table[t // size], t), "within the block"),
        (
            lambda table, size, t: table[t // size] * size + t % size,
            "a pair (block, place)",
        ),
        (
            lambda table, size, t: (
                table[t // size],
                table[t // size] * size + t % size,
            ),
            "place in the whole memory",
        ),
    ],
    "fit": [
        (fit_with(lambda n, size, _: n / size), "share a block"),
        (fit_with(lambda n, size, _: n // size), "You round down"),
        (fit_with(lambda n, size, _: n // size + 1), "do not add 1"),
        (
            fit_with(lambda n, size, all_: math.ceil(max(all_) / size)),
            "reserve for the longest",
        ),
        (fit_skip, "stop at the first"),
        (lambda a, b, c: fit_loop(a, b - 1, c), "The last block"),
    ],
    "escape": [
        (escape_late, "escaped again"),
        (escape_some('<>"'), "stays as it is"),
        (escape_some("<>&"), "The quotation mark is missing"),
        (escape_taking, "Nothing may be lost"),
        (lambda text: html.escape(html.unescape(text)), "looks like an escape"),
        (
            lambda text: (
                text.replace("&", "&amp;", 1)
                .replace("<", "&lt;", 1)
                .replace(">", "&gt;", 1)
                .replace('"', "&quot;", 1)
            ),
            "replaced once",
        ),
    ],
    "explanation": [
        ("A", "the same load"),
        ("C", "Only when it begins"),
        ("D", "one line is long"),
        ("E", "one letter"),
    ],
    "deal": [
        (deal_with(lambda waited, patience: False), "Nobody leaves"),
        (deal_with(lambda waited, patience: waited >= patience), "not >="),
        (deal_with(whole=True), "write each reply to its end"),
        (deal_with(last=True), "Who came first"),
        (lambda a, b, c: deal_lists(a, b, 99), "All are here at once"),
    ],
}

globals().update(held_to(check, RIGHT, WRONG))
