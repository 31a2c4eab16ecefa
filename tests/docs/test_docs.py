"""The documentation holds: whole files in it run, whole graphs pass the check, links lead somewhere.

A fenced block is a whole file where it begins with `# NAME.py` or `# NAME.yaml`, and a whole graph where
its first line of content begins with `version:`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RTGRAPH = [sys.executable, "-c", "from rtgraph.cli import main; main()"]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"# (\w+\.(?:py|yaml))\n")
_ANY_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def written_files(page: Path, folder: Path) -> list[Path]:
    """The page's whole files, written into the folder; graphs without a name are numbered."""
    paths = []
    for language in ("python", "yaml"):
        for text in blocks(page, language):
            name = _FILE_NAME.match(text)
            if name:
                paths.append(folder / name[1])
            elif text.startswith("version:"):
                paths.append(folder / f"graph_{len(paths)}.yaml")
            else:
                continue
            paths[-1].write_text(text, encoding="utf-8")
    return paths


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


WHOLE_FILES = [
    "README.md",
    "docs/graph-files.md",
    "docs/writing-nodes.md",
    "docs/face-nodes.md",
    "docs/tutorials/custom-node.md",
    "docs/tutorials/sensors.md",
]


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_whole_files_run(name, tmp_path):
    files = written_files(ROOT / name, tmp_path)
    modules = [p.stem for p in files if p.suffix == ".py" and not p.stem.startswith("test_")]
    graphs = [p for p in files if p.suffix == ".yaml"]
    assert graphs
    imports = [word for module in modules for word in ("--import", module)]
    for graph in graphs:
        assert run([*RTGRAPH, "check", graph.name, *imports], tmp_path).startswith("ok: ")
        run([*RTGRAPH, "run", graph.name, "--fast", "--duration", "1", *imports], tmp_path)
    tests = [p.name for p in files if p.stem.startswith("test_")]
    if tests:
        run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], tmp_path)


def test_the_mistakes_are_answered_as_shown(tmp_path):
    graph, session = blocks(ROOT / "docs/graph-files.md", "text")
    (tmp_path / "talk.yaml").write_text(graph, encoding="utf-8")
    command, _, shown = session.partition("\n")
    done = subprocess.run(
        [*RTGRAPH, *command.split()[2:]], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in _LINK.findall(_ANY_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
