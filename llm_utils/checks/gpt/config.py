"""Exercise 5 of chapter 6: sizes out of a config.json.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.watch import WrongForm

Config = Mapping[str, Any]
WIDTH, HEADS = "hidden_size", "num_attention_heads"
GROUPS, HEAD, TIED = "num_key_value_heads", "head_dim", "tie_word_embeddings"


def _sizes(
    config: Config,
    head: str = "read",
    groups: str = "read",
    tied: bool | None = False,
    null: tuple[str, ...] = (HEAD, GROUPS),
) -> dict[str, Any]:
    """The sizes, with each bug as a knob; null: where None is seen."""
    divided = config[WIDTH] // config[HEADS]
    missing = 1 if groups == "one" else config[HEADS]
    d_head = config.get(HEAD, divided)
    n_kv_heads = config.get(GROUPS, missing)
    d_head = d_head or divided if HEAD in null else d_head
    n_kv_heads = n_kv_heads or missing if GROUPS in null else n_kv_heads
    return {
        "d_model": config[WIDTH],
        "n_heads": config[HEADS],
        "n_kv_heads": n_kv_heads,
        "d_head": divided if head == "divided" else d_head,
        "tie_embeddings": config.get(TIED, tied),
    }


def _required(config: Config) -> dict[str, Any]:
    config[HEAD], config[GROUPS], config[TIED]
    return _sizes(config)


def _read(x: Any) -> dict[str, Any]:
    if not isinstance(x, Mapping):
        raise WrongForm(f"a {type(x).__name__}; a dictionary is asked for")
    return {k: int(v) if type(v) is float else v for k, v in x.items()}


PLAIN = {WIDTH: 8, HEADS: 4}
FULL = {**PLAIN, GROUPS: 2, HEAD: 4, TIED: True}

sizes = Exercise(
    name="sizes",
    asks="repair sizes(config), so that every file is read as it was meant",
    reference=_sizes,
    cases=[
        ({**PLAIN, GROUPS: 2, TIED: True},),
        ({**PLAIN, GROUPS: 2},),
        ({**PLAIN, TIED: True},),
        (FULL,),
        ({**FULL, HEAD: None},),
        ({**FULL, GROUPS: None},),
        ({**FULL, TIED: False},),
        (PLAIN,),
    ],
    form=_read,
    mistakes=[
        Mistake(
            "The file names head_dim and you do not read it. Where it "
            "stands, it is the size of a head; hidden_size / heads is only "
            "what holds when it is missing.",
            partial(_sizes, head="divided"),
        ),
        Mistake(
            "A file without num_key_value_heads is from before heads were "
            "shared: each query head has its own, so there are as many as "
            "query heads, not one.",
            partial(_sizes, groups="one"),
        ),
        Mistake(
            "When the file says nothing about tie_word_embeddings, you tie. "
            "For this family silence means False: the head is a table of "
            "its own.",
            partial(_sizes, tied=True),
        ),
        Mistake(
            "A value of null arrives as None, and config.get(key, other) "
            "gives back the None, since the key is there. Treat None like a "
            "missing key.",
            partial(_sizes, null=()),
        ),
        Mistake(
            "You demand keys that a file may leave out. head_dim, "
            "num_key_value_heads and tie_word_embeddings all have a meaning "
            "when they are missing.",
            _required,
        ),
        Mistake(
            "All three bugs are still there: what is done about head_dim, "
            "and what about the keys that a file leaves out?",
            partial(_sizes, head="divided", groups="one", tied=True, null=()),
        ),
        Mistake(
            "head_dim is read now. Two bugs are left: what does it mean when "
            "a file says nothing of the other two keys?",
            partial(_sizes, groups="one", tied=True, null=(HEAD,)),
        ),
        Mistake(
            "Key-value heads are right now. Two bugs are left: is head_dim "
            "read, and what does a file mean that says nothing about tying?",
            partial(_sizes, head="divided", tied=True),
        ),
        Mistake(
            "The embeddings are right now. Two bugs are left: is head_dim "
            "read, and what does a file mean that says nothing about "
            "num_key_value_heads?",
            partial(_sizes, head="divided", groups="one", null=(HEAD,)),
        ),
        Mistake(
            "num_key_value_heads is not right yet. Without it no heads are "
            "shared, and null (None) is the same as nothing.",
            partial(_sizes, groups="one", null=(HEAD,)),
        ),
        Mistake(
            "num_key_value_heads can be null, which arrives as None. Treat it "
            "like a missing key.",
            partial(_sizes, null=(HEAD,)),
        ),
        Mistake(
            "head_dim can be null, which arrives as None. Treat it like a "
            "missing key.",
            partial(_sizes, null=(GROUPS,)),
        ),
        Mistake(
            "When the file says nothing about tie_word_embeddings you return "
            "None. Say what it means: False.",
            partial(_sizes, tied=None),
        ),
        Mistake(
            "You never read tie_word_embeddings. A file may say true.",
            lambda config: {**_sizes(config), "tie_embeddings": False},
        ),
        Mistake(
            "You never read tie_word_embeddings, or `or` throws its False "
            "away: False is a value here, and not the same as silence.",
            lambda config: {**_sizes(config), "tie_embeddings": True},
        ),
        Mistake(
            "Return the same five names as broken_sizes does.",
            when=lambda args, value: value.keys() != _sizes(PLAIN).keys(),
        ),
    ],
    praise="What a file leaves out is part of what it says.",
)
