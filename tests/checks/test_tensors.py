"""Tensors in checks: any form is read, rounding forgiven, little printed."""

import numpy as np
import pytest
import torch

from llm_utils.checks.tensors import close, other_shape, show, tensor
from llm_utils.checks.watch import WrongForm


@pytest.mark.parametrize(
    "x",
    [
        torch.tensor([[1, 2], [3, 4]]),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
        np.array([[1, 2], [3, 4]]),
        [[1, 2.0], (3, 4)],
        [torch.tensor([1.0, 2.0]), np.array([3, 4])],
        (torch.tensor([1, 2]), [3, torch.tensor(4.0)]),
    ],
)
def test_any_form_is_read(x):
    assert torch.equal(tensor(x), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert tensor(x).dtype == torch.float64
    assert not tensor(x).requires_grad


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ("ab", "a str; a tensor"),
        ({1: 2}, "a dict; a tensor"),
        (len, "a tensor is asked for"),
        (object(), "a tensor is asked for"),
        ([[1, 2], [3]], "parts differ in shape"),
        ([1, "a"], "a str; a tensor"),
    ],
)
def test_what_is_no_tensor_is_refused(x, says):
    with pytest.raises(WrongForm, match=says):
        tensor(x)


def test_rounding_is_forgiven_and_nothing_else():
    one = torch.ones(2, 2).double()
    assert close(one, one + 1e-6)
    assert not close(one, one + 1e-3)
    assert not close(one, one[:1])  # it would broadcast
    endless = torch.tensor([torch.inf, -torch.inf, torch.nan]).double()
    assert close(endless, endless.clone())
    assert not close(endless, -endless)


def test_little_is_printed():
    assert show(torch.tensor([[1.0, 0.123456]])) == "[[1, 0.1235]]"
    assert show(torch.tensor([[True, False]])) == "[[True, False]]"
    assert show(torch.zeros(3, 4, 5)) == "<a tensor of shape (3, 4, 5)>"
    assert show(len) == "len"
    assert show("caf\u00e9") == "'caf\\xe9'"


def test_a_shape_is_another_one():
    mistake = other_shape(lambda n: torch.zeros(n, 2))
    assert mistake.when((3,), torch.zeros(2, 3))
    assert not mistake.when((3,), torch.ones(3, 2))
