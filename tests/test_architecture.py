"""The page on the house says what the import contract says, and every room has its floor."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def contract() -> list[set[str]]:
    """Floors of the contract, highest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [floors] = [
        one["layers"]
        for one in project["tool"]["importlinter"]["contracts"]
        if one.get("containers") == ["consolidation"]
    ]
    return [{room.strip(" ()") for room in floor.split("|")} for floor in floors]


def test_the_page_has_the_floors_of_the_contract() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", page, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(len(rows) - 1, -1, -1))
    # the page puts what all may use on one floor; the contract says which of them uses which
    assert [set(re.findall(r"`(\w+)`", rooms)) for _, rooms in rows] == page_floors(contract())


def page_floors(floors: list[set[str]]) -> list[set[str]]:
    """The two lowest floors of the contract are one on the page."""
    return [*floors[:-2], floors[-2] | floors[-1]]


def test_every_file_that_the_page_names_is_there() -> None:
    for name in ("architecture.md", "versioning.md", "glossary.md"):
        page = (ROOT / "docs" / name).read_text()
        for path in re.findall(r"`((?:tests|benchmarks|docs)/[\w/.-]+)`", page):
            assert (ROOT / path).exists(), f"{name} names {path}"
        for dotted in re.findall(r"`((?:jobs|formats|objects|consensus|aws)\.[\w.]+)`", page):
            assert is_there(dotted), f"{name} names {dotted}"


def is_there(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name in one."""
    path = ROOT / "consolidation" / Path(*dotted.split("."))
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    module, name = path.parent, path.name
    while not (module.is_dir() or module.with_suffix(".py").exists()):
        module, name = module.parent, module.name
    files = [module / "__init__.py"] if module.is_dir() else [module.with_suffix(".py")]
    return any(re.search(rf"\b{name}\b", file.read_text()) for file in files)
