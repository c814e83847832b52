"""`{api}`: what the chapters import from `llm_utils`, from the source itself.

For each name its signature and docstring, as they stand in the file, and the
chapter that derives it: the one that the docstring names, else the first
that imports it. A section for each stage, a paragraph for each module.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from book_print import SHORT, printed_lines
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

STAGES = {
    "text": "Text",
    "model": "The model",
    "train": "Training",
    "infer": "Generation",
    "align": "Alignment",
}
LABEL = re.compile(r"^\((ch-[\w-]+)\)=$", re.MULTILINE)
CHAPTER = re.compile(r"\b[Cc]hapter (\d+)")
Definition = ast.ClassDef | ast.FunctionDef


class Chapter(NamedTuple):
    """A chapter's number, its label, and its code."""

    number: int
    label: str
    code: str


def chapter_of(path: Path) -> Chapter:
    """ValueError for a notebook whose first cell has no label."""
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    title = "".join(found[0]["source"])
    label = LABEL.search(title)
    if label is None:
        raise ValueError(f"{path}: the first cell has no label (ch-...)=")
    code = [c["source"] for c in found if c["cell_type"] == "code"]
    cells = "\n".join("".join(source) for source in code)
    return Chapter(int(path.name.split("_")[0]), label[1], cells)


def imports(code: str) -> Iterator[tuple[str, str]]:
    """(module, name) of each `from llm_utils... import name`."""
    pattern = r"^\s*from (llm_utils[\w.]*) import (\([^)]*\)|.*)$"
    for module, names in re.findall(pattern, code, re.MULTILINE):
        for name in names.strip("()\n ").split(","):
            word = name.split(" as ")[0].strip()
            if word.isidentifier():
                yield module, word


def first_uses(
    root: Path, chapters: Iterable[Chapter]
) -> dict[tuple[str, str], Chapter]:
    """For each name, where it is defined, the first chapter that imports it.

    `from llm_utils.train import optim` imports what follows `optim.`.
    """
    found: dict[tuple[str, str], Chapter] = {}
    for chapter in chapters:
        for module, name in imports(chapter.code):
            inner = f"{module}.{name}"
            if source_of(root, inner).is_file():
                after = rf"(?<![\w.]){name}\.([A-Za-z_]\w*)"
                used = re.findall(after, chapter.code)
                keys = [(inner, x) for x in dict.fromkeys(used)]
            else:
                keys = [(module, name)]
            for key in keys:
                found.setdefault(defined_at(root, *key), chapter)
    return found


def defined_at(root: Path, module: str, name: str) -> tuple[str, str]:
    """Follows a name that a module has from another one to its definition."""
    for node in ast.parse(source_of(root, module).read_text("utf-8")).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        known = {alias.asname or alias.name for alias in node.names}
        if name in known and str(node.module).startswith("llm_utils"):
            return defined_at(root, str(node.module), name)
    return module, name


def source_of(root: Path, module: str) -> Path:
    path = root.joinpath(*module.split("."))
    package = path / "__init__.py"
    return package if package.is_file() else path.with_suffix(".py")


def definitions(path: Path) -> dict[str, tuple[str, str]]:
    """name -> (signature and docstring as in the file, docstring)."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    return {
        node.name: (shown(node, lines), ast.get_docstring(node) or "")
        for node in ast.parse(text).body
        if isinstance(node, Definition)
    }


def shown(node: Definition, lines: list[str]) -> str:
    """The lines of a definition up to the end of its docstring.

    Of a class also its fields and the same lines of `__init__`.
    """
    first = min(x.lineno for x in (node, *node.decorator_list))
    docstring = ast.get_docstring(node) is not None
    last = node.body[0].end_lineno if docstring else node.body[0].lineno - 1
    parts = ["\n".join(lines[first - 1 : last])]
    for part in node.body[docstring:] if isinstance(node, ast.ClassDef) else []:
        if isinstance(part, ast.AnnAssign):
            parts.append("\n".join(lines[part.lineno - 1 : part.end_lineno]))
        elif isinstance(part, ast.FunctionDef) and part.name == "__init__":
            parts += ["", shown(part, lines)]
    return "\n".join(parts)


class Api(SphinxDirective):
    """The sections of the reference."""

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        paths = sorted(root.glob("chapters/week*/*.ipynb"))
        chapters = [chapter_of(path) for path in paths]
        uses = first_uses(root, chapters)
        labels = {chapter.number: chapter.label for chapter in chapters}
        for path in paths:
            self.env.note_dependency(str(path))
        found = []
        for stage, title in STAGES.items():
            name = f"api-{stage}"
            section = nodes.section(ids=[name], names=[name])
            section += nodes.title("", title)
            inside = f"llm_utils.{stage}."
            modules = sorted({m for m, _ in uses if m.startswith(inside)})
            for module in modules:
                names = {
                    name: c for (m, name), c in uses.items() if m == module
                }
                section += self.module(root, module, names, labels)
            if modules:
                found.append(section)
        return found

    def module(
        self,
        root: Path,
        module: str,
        names: dict[str, Chapter],
        labels: dict[int, str],
    ) -> list[nodes.Node]:
        """A title and the names of one module that chapters import."""
        path = source_of(root, module)
        self.env.note_dependency(str(path))
        defined = definitions(path)
        there = [name for name in defined if name in names]
        if not there:
            return []
        title = nodes.paragraph()
        title += nodes.strong("", "", nodes.literal("", module))
        found: list[nodes.Node] = [keep(defined[there[0]][0], 2), title]
        for name in there:
            code, docstring = defined[name]
            if name != there[0]:
                found.append(keep(code))
            named = CHAPTER.search(docstring)
            label = labels.get(int(named[1])) if named else None
            known = f"{name} ({module.split('.')[1]})"
            found += self.entry(known, code, label or names[name].label)
        return found

    def entry(self, name: str, code: str, label: str) -> list[nodes.Node]:
        """Index entry, code, and the link to a chapter, kept together."""
        mark = f"api-{self.env.new_serialno('api')}"
        index = addnodes.index(entries=[("single", name, mark, "", None)])
        block = nodes.literal_block(code, code, language="python", ids=[mark])
        link = addnodes.pending_xref(
            "", nodes.inline("", "", classes=["std", "std-ref"]),
            refdomain="std", reftype="ref", reftarget=label,
            refdoc=self.env.docname, refexplicit=False, refwarn=True,
        )  # fmt: skip
        where = nodes.paragraph("", "", nodes.Text("Derived in "), link)
        where += nodes.Text(".")
        begin, end = latex(r"\begin{bookentry}"), latex(r"\end{bookentry}")
        return [begin, index, block, where, end]


def keep(code: str, above: int = 0) -> nodes.raw:
    """PDF: short code is not split, nor parted from the lines about it.

    above: the lines that stand over it, as its module's name does.
    """
    lines = printed_lines(code)
    whole = lines + above + 2  # the link below takes two lines
    least = whole if lines <= SHORT else 6 + above
    return latex(rf"\bookkeep{{{whole}}}{{{least}}}")


def latex(command: str) -> nodes.raw:
    return nodes.raw("", command + "\n", format="latex")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("api", Api)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
