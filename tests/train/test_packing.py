"""Rows made of documents: nothing lost, nothing moved, and room well used."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.text.next_token import next_token_loss, windows
from llm_utils.train.batches import pack, pack_whole
from llm_utils.train.packing import NO_TARGET, best_fit, pad

END = 0
DOCS = st.lists(st.lists(st.integers(1, 9), max_size=30), min_size=1)


# --- end to end --------------------------------------------------------------


@given(docs=DOCS, T=st.integers(1, 12))
def test_rows_are_windows_of_all_documents(docs, T: int) -> None:
    stream = [token for doc in docs for token in (*doc, END)]
    if len(stream) < T + 1:
        with pytest.raises(ValueError, match="do not fill one row"):
            pack(docs, T, END)
        return
    rows = pack(docs, T, END)
    x, y = windows(stream, T)
    assert torch.equal(rows[:, :-1], x) and torch.equal(rows[:, 1:], y)


def test_documents_that_end_themselves() -> None:
    assert pack([[1, 2, 0], [3, 0]], 4).tolist() == [[1, 2, 0, 3, 0]]


# --- whole -------------------------------------------------------------------


def documents(rows: torch.Tensor) -> list[list[int]]:
    """The documents that stand in packed rows."""
    found = []
    for row in rows.tolist():
        assert row[0] == END
        line = [token for token in row if token != NO_TARGET]
        assert row[: len(line)] == line, "empty places stand at the end"
        assert line[-1] == END
        doc: list[int] = []
        for token in line[1:]:
            if token == END:
                found.append(doc)
                doc = []
            else:
                doc.append(token)
    return found


@given(docs=st.lists(st.lists(st.integers(1, 9), max_size=11), min_size=1))
def test_each_document_stands_whole_in_one_row(docs) -> None:
    rows = pack_whole(docs, 12, END)
    assert rows.shape[1] == 13
    assert sorted(documents(rows)) == sorted(docs)


def test_a_row_by_hand() -> None:
    rows = pack_whole([[1, 2], [3, 3, 3, 3], [4]], 5, END)
    n = NO_TARGET
    assert rows.tolist() == [[0, 3, 3, 3, 3, 0], [0, 1, 2, 0, 4, 0]]
    assert pack_whole([[1]], 4, END).tolist() == [[0, 1, 0, n, n]]


def test_what_is_too_long_is_cut_and_nothing_is_lost() -> None:
    doc = list(range(1, 24))
    rows = pack_whole([doc], 5, END)
    tokens = rows[:, 1:][rows[:, 1:] > END].tolist()
    assert sorted(tokens) == doc and rows.shape == (5, 6)


def test_empty_places_do_not_count_in_the_loss() -> None:
    rows = pack_whole([[1, 2]], 6, END)
    y = rows[:, 1:]
    logits = torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(0))
    there = next_token_loss(logits[:, :3], y[:, :3])
    torch.testing.assert_close(next_token_loss(logits, y), there)


# --- best fit ----------------------------------------------------------------


def slow_best_fit(sizes: list[int], room: int) -> list[int]:
    """The rooms left, by the definition: the fullest bin that has room."""
    left: list[int] = []
    for size in sorted(sizes, reverse=True):
        fits = [i for i in range(len(left)) if left[i] >= size]
        if fits:
            left[min(fits, key=left.__getitem__)] -= size
        else:
            left.append(room - size)
    return sorted(left)


@given(sizes=st.lists(st.integers(1, 20), max_size=60))
def test_best_fit_by_its_definition(sizes) -> None:
    bins = best_fit(sizes, 20)
    assert sorted(i for b in bins for i in b) == list(range(len(sizes)))
    left = sorted(20 - sum(sizes[i] for i in b) for b in bins)
    assert left == slow_best_fit(sizes, 20)
    assert all(room >= 0 for room in left)


def test_best_fit_is_near_the_fewest_and_first_come_is_not() -> None:
    rng = random.Random(0)
    sizes = [rng.randint(20, 90) for _ in range(2000)]
    fewest = sum(sizes) / 100
    assert len(best_fit(sizes, 100)) < 1.08 * fewest
    opened, free = 0, 0
    for size in sizes:  # planted: put it in the last bin or open one
        if size > free:
            opened, free = opened + 1, 100
        free -= size
    assert opened > 1.2 * fewest


def test_packing_is_quick() -> None:
    rng = random.Random(0)
    sizes = [rng.randint(1, 1024) for _ in range(100_000)]
    assert sum(map(len, best_fit(sizes, 1024))) == 100_000  # seconds, or hours


def test_what_cannot_be_packed() -> None:
    with pytest.raises(ValueError, match="do not fit bins of 4"):
        best_fit([5], 4)
    with pytest.raises(ValueError, match="nothing to pack"):
        pack_whole([], 4, END)
    with pytest.raises(ValueError, match="1 or more targets"):
        pack([[1, 2]], 0)


def test_padding_has_no_target() -> None:
    x, y = pad([[7, 1, 2, 7], [7, 1, 7]])
    assert x.tolist() == [[7, 1, 2], [7, 1, 0]]
    assert y.tolist() == [[1, 2, 7], [1, 7, NO_TARGET]]
