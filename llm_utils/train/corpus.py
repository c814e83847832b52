"""From pages of the web to documents that a model can learn from.

Chapter 7 derives every step. This module gathers them; what one page needs
stands in `Cleaner`, so that a loop and many processes do the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_utils.train.clean import clean, mask_pii
from llm_utils.train.dedup import (
    contaminated,
    drop_repeated_lines,
    exact_dedup,
    minhash_dedup,
)
from llm_utils.train.extract import extract
from llm_utils.train.fetch import fetch
from llm_utils.train.filters import Filter, quality_filters, reasons
from llm_utils.train.language import LanguageId
from llm_utils.train.mixture import mix, mixture_weights

__all__ = [
    "Cleaner",
    "LanguageId",
    "clean",
    "contaminated",
    "drop_repeated_lines",
    "exact_dedup",
    "extract",
    "fetch",
    "mask_pii",
    "minhash_dedup",
    "mix",
    "mixture_weights",
    "quality_filters",
    "reasons",
]


@dataclass(frozen=True)
class Cleaner:
    """A page, {"html": ...} -> {"text": ..., "why": ...}.

    `text` is extracted, cleaned and masked; `why` names the first reason to
    drop it: "empty", "language" or a filter; it is "" for what stays.
    One page needs no other, so `datasets.map` can run it over processes.
    Chapter 7.
    """

    languages: LanguageId
    language: str = "en"
    sure: float = 0.65  # the probability that the language must have
    filters: Mapping[str, Filter] = field(default_factory=quality_filters)

    def __call__(self, page: Mapping[str, Any]) -> dict[str, str]:
        text = clean(extract(page["html"]))
        if not text:
            why = "empty"
        elif self.languages.probs(text)[self.language] < self.sure:
            why = "language"
        else:
            why = next(iter(reasons(text, self.filters)), "")
        return {"text": mask_pii(text), "why": why}
