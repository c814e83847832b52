"""Chapter 14's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from held import held_to

from llm_utils.align.add_tokens import longer
from llm_utils.align.lora import lora_params
from llm_utils.align.sft import sft_collate
from llm_utils.align.template import PLAIN, ChatTemplate
from llm_utils.checks import finetuning as check
from llm_utils.text.bpe import ByteBPE

END = "<|endoftext|>"

# -- 1: targets


def targets_zip(ids, mask):
    return [i if m else -100 for i, m in zip(ids[1:], mask[1:], strict=True)]


def targets_where(ids, mask):
    y, m = np.array(ids)[1:], np.array(mask, dtype=bool)[1:]
    return np.where(m, y, -100)


def targets_tensor_whole(ids, mask):
    y = torch.tensor(ids)
    y[~torch.tensor(mask, dtype=torch.bool)] = -100
    return y


# -- 3: spans


def spans_table(messages):
    told = [(END, False)]
    for m in messages:
        if m["role"] == "system":
            told.append((m["content"] + "\n", False))
        if m["role"] == "user":
            told.append((f"Question: {m['content']}\n", False))
        if m["role"] == "assistant":
            told.append(("Answer:", False))
            told.append((f" {m['content']}{END}", True))
    return told


def spans_yield(messages):
    before = {"system": "", "user": "Question: ", "assistant": "Answer:"}
    yield END, 0
    for m in messages:
        answer = m["role"] == "assistant"
        yield before[m["role"]], 0
        yield (" " if answer else "") + m["content"], int(answer)
        yield (END, 1) if answer else ("\n", 0)


def changed(old, new):
    """spans_table with pieces exchanged."""

    def spans(messages):
        found = []
        for text, learn in spans_table(messages):
            found += new(text, learn) if old(text, learn) else [(text, learn)]
        return found

    return spans


def only_last(messages):
    told = spans_table(messages)
    last = max((i for i, x in enumerate(told) if x[1]), default=0)
    return [(text, learn and i == last) for i, (text, learn) in enumerate(told)]


# -- 4: last_states


def last_loop(stream, lengths):
    return [row[int(n) - 1] for row, n in zip(stream, lengths, strict=True)]


def last_gather(stream, lengths):
    B, _, C = stream.shape
    at = (lengths - 1)[:, None, None].expand(B, 1, C)
    return stream.gather(1, at).squeeze(1)


def last_mean(stream, lengths):
    return [
        x[:n].mean(0) for x, n in zip(stream, lengths.tolist(), strict=True)
    ]


def last_too_far(stream, lengths):
    T = stream.shape[1]
    at = torch.where(lengths < T, lengths, T - 1)
    return stream[range(len(stream)), at]


# -- 5: merge


def merge_float(W, A, B, alpha):
    r = B.shape[1]
    return W + B.matmul(A) * (alpha / r)


def merge_loop(W, A, B, alpha):
    out = W.clone()
    for k in range(len(A)):
        out += alpha / len(A) * torch.outer(B[:, k], A[k])
    return out.numpy()


def merge_in_place(W, A, B, alpha):
    W += alpha / len(A) * (B @ A)
    return W


def merge_broken(W, A, B, alpha):
    scale = alpha * B.shape[0]
    W += scale * (B @ A)
    return W


# -- 6: new_rows


def rows_numpy(table, k):
    t = table.numpy()
    return np.vstack([t, np.tile(t.mean(0), (k, 1))])


def rows_loop(table, k):
    for _ in range(k):
        table = torch.cat((table, table.mean(0, keepdim=True)))
    return table


# -- 7: by_part


def part_sets(nats, parts):
    told = {}
    for part in set(parts):
        mine = [x for x, p in zip(nats, parts, strict=True) if p == part]
        told[part] = np.mean(mine)
    return told


def part_tensor(nats, parts):
    x, names = torch.tensor(nats), np.array(parts)
    return {
        str(p): x[torch.from_numpy(names == p)].mean() for p in np.unique(names)
    }


def totals(nats, parts):
    return {
        p: sum(x for x, q in zip(nats, parts, strict=True) if p == q)
        for p in parts
    }


# -- 8: best_correction


def correction_numpy(delta, r):
    U, s, Vt = np.linalg.svd(delta.numpy())
    return U[:, :r], np.diag(s[:r]) @ Vt[:r]


def correction_roots(delta, r):
    U, s, V = torch.svd(delta)
    root = s[:r].sqrt()
    return U[:, :r] * root, root[:, None] * V[:, :r].T


def correction_rows(delta, r):
    B = torch.zeros(len(delta), r)
    B[range(r), range(r)] = 1.0
    return B, delta[:r]


def correction_plain(delta, r):
    U, _, Vh = torch.linalg.svd(delta)
    return U[:, :r], Vh[:r]


def correction_weak(delta, r):
    U, s, Vh = torch.linalg.svd(delta, full_matrices=False)
    return U[:, -r:] * s[-r:], Vh[-r:]


RIGHT = {
    "targets": [targets_zip, targets_where],
    "bills": [
        [40960, 3.4, 6.8, 128, 4],
        lambda: torch.tensor([40960, 3.408, 6.816, 128, 4]),
    ],
    "spans": [spans_table, spans_yield],
    "last_states": [last_loop, last_gather],
    "merge": [merge_float, merge_loop],
    "new_rows": [rows_numpy, rows_loop],
    "by_part": [part_sets, part_tensor],
    "explanation": ["B", " b) ", lambda: "b"],
    "best_correction": [correction_numpy, correction_roots],
}
WRONG = {
    "targets": [
        (lambda ids, mask: [
            i if m else -100
            for i, m in zip(ids[:-1], mask[1:], strict=True)
        ], "inputs, not the targets"),
        (lambda ids, mask: [
            i if m else -100
            for i, m in zip(ids[1:], mask[:-1], strict=True)
        ], "one place off"),
        (lambda ids, mask: [i * m for i, m in zip(
            ids[1:], mask[1:], strict=True)], "id of a token"),
        (targets_tensor_whole, "one target too many"),
    ],
    "bills": [
        ([8 * 4096 * 1024, 3.4, 6.8, 128, 4], "A is the size"),
        ([40960, 0.1065, 6.8, 128, 4], "B counts one layer"),
        ([40960, 4.19, 6.8, 128, 4], "as large as the query"),
        ([40960, 3.4, 13.6, 128, 4], "four bytes a number"),
        ([40960, 3.4, 6.8, 64, 4], "part of the bill"),
        ([40960, 3.4, 6.8, 128, 32], "four bits"),
        ([32768, 3.4, 6.8, 128, 4], "A is not right"),
        ([40960, 2.0, 6.8, 128, 4], "B is not right"),
        ([40960, 3.4, 9.0, 128, 4], "C is not right"),
        ([40960, 3.4, 6.8, 100, 4], "D is not right"),
        ([40960, 3.4, 6.8, 128, 8], "E is not right"),
        ([40960, 3.4], "exactly five numbers"),
    ],
    "spans": [
        (changed(lambda t, m: m, lambda t, m: [
            (t.removesuffix(END), True), (END, False)]), "never stop"),
        (changed(lambda t, m: t == "Answer:", lambda t, m: [(t, True)]),
         "'Answer:'"),
        (changed(lambda t, m: t.startswith("Question"),
                 lambda t, m: [(t, True)]), "People ask"),
        (changed(lambda t, m: m, lambda t, m: [(" ", False), (t[1:], True)]),
         "belongs to its first word"),
        (only_last, "Only the last answer"),
        (lambda messages: spans_table(messages)[1:], "does not begin"),
        (lambda messages: [
            (text, text.startswith("Q")) for text, _ in spans_table(messages)
        ], "not what is learned"),
        (lambda messages: ["".join(t for t, _ in spans_table(messages))],
         "pairs are asked for"),
    ],
    "last_states": [
        (lambda stream, lengths: stream[:, -1, :], "padding"),
        (last_too_far, "One place too far"),
        (lambda stream, lengths: stream[:, 0], "seen nothing"),
        (last_mean, "mean over all tokens"),
        (lambda stream, lengths: stream[:, lengths - 1], "The shape"),
    ],
    "merge": [
        (merge_broken, "still as they were"),
        (merge_in_place, "changes its input"),
        (lambda W, A, B, alpha: W + alpha / len(B) * (B @ A),
         "rows of B"),
        (lambda W, A, B, alpha: W + alpha * len(A) * (B @ A),
         "multiply by the rank"),
        (lambda W, A, B, alpha: W + B @ A, "scale is missing"),
        (lambda W, A, B, alpha: alpha * A, "The shape"),
    ],
    "new_rows": [
        (lambda table, k: torch.cat(
            (table, torch.zeros(k, table.shape[1]))), "zeros"),
        (lambda table, k: table[-1].repeat(k, 1), "not (V + k, C)"),
        (lambda table, k: torch.cat((table, table[-1:].repeat(k, 1))),
         "repeat the last"),
        (lambda table, k: torch.cat((table.mean(0).repeat(k, 1), table)),
         "stand before"),
        (lambda table, k: table.mean(0).repeat(len(table) + k, 1),
         "old rows have changed"),
    ],
    "by_part": [
        (totals, "Those are sums"),
        (lambda nats, parts: {
            p: v / len(parts) for p, v in totals(nats, parts).items()
        }, "divide by all tokens"),
        (lambda nats, parts: dict(zip(parts, nats, strict=True)), "last cost"),
    ],
    "explanation": [
        ("A", "A cannot be it"),
        ("c", "C would hold"),
        ("D", "D is not so"),
        ("E", "The answer is one letter"),
    ],
    "best_correction": [
        (correction_weak, "weakest directions"),
        (correction_plain, "strengths are missing"),
        (correction_rows, "first r rows"),
        (lambda delta, r: (delta, torch.eye(delta.shape[1])),
         "no correction of rank r"),
        (lambda delta, r: delta, "a pair (B, A)"),
    ],
}  # fmt: skip

globals().update(held_to(check, RIGHT, WRONG))


def test_the_targets_are_the_packages():
    for ids, mask in check.targets.cases:
        _, y = sft_collate([(ids, mask)])
        assert y[0].tolist() == check.targets.reference(ids, mask)


def test_the_spans_are_the_templates():
    tokenizer = ByteBPE([], [END])
    template = ChatTemplate(tokenizer, PLAIN)
    for (messages,) in check.spans.cases:
        found = check.spans.reference(messages)
        ids, mask = template.render(messages)
        bytes_of = [
            (text, learn)
            for text, learn in found
            for _ in tokenizer.encode(text, "all")
        ]
        assert tokenizer.decode(ids) == "".join(text for text, _ in found)
        assert mask == [learn for _, learn in bytes_of]


def test_rows_and_bills_are_the_packages():
    for table, k in check.new_rows.cases:
        n = len(table)
        wanted = longer(table, n, n + k)
        assert torch.equal(check.new_rows.reference(table, k), wanted)
    one = check.bills.reference()
    assert one[0] == lora_params(4096, 1024, 8)
    both = lora_params(4096, 4096, 8) + lora_params(4096, 1024, 8)
    assert one[1] == pytest.approx(32 * both / 1e6)
