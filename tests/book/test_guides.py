"""Citation, change log and guides: one version, one address, true paths.

Each test is a function that lists what is wrong, held to the real files and
then to a planted break.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import links

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


PROJECT: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
VERSION = PROJECT["version"]


def version_gaps(
    cff: str, changes: str, package: str, version: str = VERSION
) -> list[str]:
    """Places that name another version than pyproject.toml.

    Between two releases the version is that of the next one with ".dev0", and
    the change log need not know it yet.
    """
    found = []
    if str(yaml.safe_load(cff)["version"]) != version:
        found.append("CITATION.cff")
    listed = re.findall(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", changes, re.M)
    if ".dev" not in version and listed[:1] != [version]:
        found.append("CHANGELOG.md")
    if f'__version__ = "{version}"' not in package:
        found.append("llm_utils/__init__.py")
    return found


def test_one_version_everywhere() -> None:
    names = ("CITATION.cff", "CHANGELOG.md", "llm_utils/__init__.py")
    assert version_gaps(*map(read, names)) == []


RELEASED = (
    "version: 0.2.0\n",
    "## [0.2.0] - 2026-11-22\n",
    '__version__ = "0.2.0"\n',
)


@pytest.mark.parametrize("changed", range(3))
def test_another_version_is_found(changed: int) -> None:
    assert version_gaps(*RELEASED, version="0.2.0") == []
    texts = list(RELEASED)
    texts[changed] = texts[changed].replace("0.2.0", "9.9.9")
    assert len(version_gaps(*texts, version="0.2.0")) == 1


def test_between_releases_the_change_log_waits() -> None:
    ahead = [text.replace("0.2.0", "0.3.0.dev0") for text in RELEASED]
    ahead[1] = RELEASED[1]
    assert version_gaps(*ahead, version="0.3.0.dev0") == []


def test_the_citation_follows_the_address() -> None:
    slug, text = links.address(), read("CITATION.cff")
    cited = yaml.safe_load(text)
    assert cited["repository-code"] == f"https://github.com/{slug}"
    assert ROOT / "CITATION.cff" in links.text_files()
    moved = yaml.safe_load(links.rewrite(text, slug, "you/book"))
    assert moved["repository-code"] == "https://github.com/you/book"


CFF_TEXTS = {"abstract", "message", "title", "doi", "type", "repository-code"}
CFF_KEYS = CFF_TEXTS | {
    "authors", "cff-version", "commit", "contact", "date-released",
    "identifiers", "keywords", "license", "license-url",
    "preferred-citation", "references", "repository",
    "repository-artifact", "url", "version",
}  # fmt: skip


def citation_gaps(text: str) -> list[str]:
    """Where a citation file breaks the schema of its format, 1.2.0."""
    cited = yaml.safe_load(text)
    needed = {"cff-version", "message", "title", "authors"}
    found = [f"no {key}" for key in sorted(needed - set(cited))]
    found += [f"{key}: no such key" for key in sorted(set(cited) - CFF_KEYS)]
    found += [f"{key} is no text" for key in sorted(CFF_TEXTS & set(cited))
              if not isinstance(cited[key], str)]  # fmt: skip
    if cited.get("cff-version") != "1.2.0":
        found.append("cff-version is not 1.2.0")
    if cited.get("type", "software") not in ("software", "dataset"):
        found.append("type is neither software nor dataset")
    for author in cited.get("authors") or [{}]:
        if not {"name", "family-names", "given-names", "alias"} & set(author):
            found.append("an author without a name")
    licenses = cited.get("license", [])
    if PROJECT["license"] not in licenses:
        found.append(f"license is not {PROJECT['license']}")
    for key in ("url", "repository-code"):
        if not re.match(r"https?://", cited.get(key, "https://")):
            found.append(f"{key} is no address")
    return found


def test_the_citation_has_what_the_format_asks_for() -> None:
    assert citation_gaps(read("CITATION.cff")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cff-version: 1.2.0\n", ""),
        ("cff-version: 1.2.0", "cff-version: 1.1.0"),
        ("message:", "massage:"),
        ("title: Build a large", "title: 7 #"),
        ("type: software", "type: book"),
        ("  - name: The", "  - label: The"),
        ("  - MIT\n", "  - BSD-3-Clause\n"),
        ("url: https", "url: ftp"),
    ],
)
def test_a_citation_that_breaks_the_format_is_found(old: str, new: str) -> None:
    text = read("CITATION.cff")
    assert old in text and citation_gaps(text.replace(old, new, 1))


CHANGES = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def changelog_gaps(text: str) -> list[str]:
    """Where a change log is not what keepachangelog.com describes."""
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    found = [] if text.startswith("# Changelog\n") else ["no title"]
    if titles[:1] != ["[Unreleased]"]:
        found.append("the first section is not [Unreleased]")
    versions, dates = [], []
    for title in titles[1:]:
        match = re.fullmatch(
            r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)", title
        )
        if match is None:
            found.append(f"{title!r} is not '[1.2.3] - 2026-12-31'")
            continue
        versions.append(tuple(map(int, match.groups()[:3])))
        dates.append(match[4])
    if versions != sorted(set(versions), reverse=True):
        found.append("the newest version does not stand first")
    if dates != sorted(dates, reverse=True):
        found.append("the dates do not go back in time")
    kinds = re.findall(r"^### (.*)$", text, re.MULTILINE)
    found += [f"no kind of change: {kind}" for kind in kinds
              if kind not in CHANGES]  # fmt: skip
    linked = set(
        re.findall(r"^\[([^\]]+)\]: https?://\S+$", text, re.MULTILINE)
    )
    named = {re.sub(r"\].*", "", title).strip("[") for title in titles}
    return found + [f"no link for {name}" for name in sorted(named - linked)]


def test_the_changelog_keeps_its_format() -> None:
    assert changelog_gaps(read("CHANGELOG.md")) == []


SOUND_LOG = """\
# Changelog

## [Unreleased]

## [0.2.0] - 2026-11-22

### Added

- A chapter.

[Unreleased]: https://example.org/main
[0.2.0]: https://example.org/v0.2.0
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# Changelog", "# Changes"),
        ("## [Unreleased]\n", ""),
        ("## [0.2.0] - ", "## 0.2.0 - "),
        ("## [0.2.0] - ", "## [0.2.0] "),
        ("## [Unreleased]\n", "## [Unreleased]\n\n## [0.0.1] - 2026-12-01\n"),
        ("## [Unreleased]\n", "## [Unreleased]\n\n## [9.0.0] - 2020-01-01\n"),
        ("### Added", "### New"),
        ("[0.2.0]: https", "[0.2.0] https"),
    ],
)
def test_a_changelog_out_of_shape_is_found(old: str, new: str) -> None:
    assert changelog_gaps(SOUND_LOG) == []
    assert old in SOUND_LOG
    assert changelog_gaps(SOUND_LOG.replace(old, new, 1))


NAMED = re.compile(r"`([\w./-]+(?:/|\.(?:bib|cff|json|lock|md|py|toml|yml)))`")


def path_gaps(text: str) -> list[str]:
    """Files and folders that a guide names and the book has not."""
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    return [
        p for p in {*linked, *NAMED.findall(text)} if not (ROOT / p).exists()
    ]


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
)
def test_guides_name_what_is_there(name: str) -> None:
    assert path_gaps(read(name)) == []


def test_a_guide_to_nowhere_is_found() -> None:
    text = "`book/glossary.md`, `_tok.yml`, [a](b.md), `solution/`, `3.10`"
    assert sorted(path_gaps(text)) == ["_tok.yml", "b.md", "solution/"]
