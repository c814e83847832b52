"""The rules that every notebook of the book keeps.

A rule is a function: it returns one line for each place that breaks it, and
its docstring says what it holds. `tests/book/test_rules*.py` hold every
notebook to all of them, the prose pages to `PAGE_RULES`, and show for each
rule, on a planted break, that it can fail.
"""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode

from scripts import launch, links
from scripts.rules import (
    anatomy,
    code,
    exercises,
    figures,
    form,
    formulas,
    numbers,
    references,
)
from scripts.rules.code import STAGES
from scripts.rules.notebook import Rule

__all__ = ["PAGE_RULES", "RULES", "STAGES", "Rule"]


def launch_cells(notebook: NotebookNode, path: Path) -> list[str]:
    """Badge and bootstrap are what one template makes of one address."""
    return launch.gaps(notebook, path, links.address(), launch.release())


def own_address(notebook: NotebookNode, path: Path) -> list[str]:
    """Whatever points into a repository points into this book's own."""
    sources = "\n".join(cell.source for cell in notebook.cells)
    return [f"points to {s}" for s in links.strays(sources, links.address())]


FORM: tuple[Rule, ...] = (
    form.unique_ids,
    form.all_run,
    form.not_run,
    form.cells_fit,
    form.few_ignored,
    form.skips_agree,
    form.clean_code,
    form.footnotes_match,
    form.folds_close,
    form.in_normal_form,
    code.imports_of_the_week,
    code.imports_of_the_chapter,
    code.checks_of_its_own,
    code.source_is_of_today,
    launch_cells,
    own_address,
)
TEXT: tuple[Rule, ...] = (
    figures.figures_speak,
    figures.images_speak,
    figures.images_are_local,
    figures.figures_referred,
    figures.play_has_a_still,
    numbers.glued_once,
    numbers.numbers_glued,
    references.references_resolve,
    references.citations_resolve,
    references.terms_resolve,
    references.links_lead_somewhere,
    references.formulas_referred,
    references.terms_introduced,
    formulas.formulas_compile,
)
ANATOMY: tuple[Rule, ...] = (
    anatomy.parts_in_order,
    anatomy.opening_promises,
    anatomy.hand_comes_first,
    anatomy.package_is_proved,
    anatomy.claims_are_asserted,
    anatomy.play_plays,
    anatomy.bugs_have_symptoms,
    anatomy.questions_have_answers,
    anatomy.ending_leads_on,
    anatomy.deep_enough,
    exercises.enough_exercises,
    exercises.exercises_are_whole,
    exercises.exercises_know_their_chapter,
)
RULES: tuple[Rule, ...] = (*FORM, *TEXT, *ANATOMY)
PAGE_RULES: tuple[Rule, ...] = (
    form.footnotes_match,
    form.folds_close,
    figures.images_speak,
    figures.images_are_local,
    references.references_resolve,
    references.citations_resolve,
    references.terms_resolve,
    references.links_lead_somewhere,
    references.formulas_referred,
    formulas.formulas_compile,
    own_address,
)
