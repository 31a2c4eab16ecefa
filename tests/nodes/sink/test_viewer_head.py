"""sink.viewer: the head that it shows, and the page that is built for it."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from viewer_page import glb, plan

from rtgraph import AssetError
from rtgraph.files import bundled
from rtgraph.models.expression import ARKIT
from rtgraph.nodes.sink._web_head import ShownHead
from rtgraph.scheduler import Runner

VIEWER = Path(__file__).parents[3] / "viewer"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a GLB"),
        (b"PNG" * 20, "not a GLB"),
        (glb()[:-8], "cut short"),
        (glb()[:20] + b"?" * (len(glb()) - 20), "damaged"),
    ],
)
def test_a_broken_head_is_found_before_the_run(head, data, message):
    head.write_bytes(data)
    with pytest.raises(AssetError, match=message):
        Runner(plan(head)).open()


def test_missing_shapes_are_named(head, caplog):
    head.write_bytes(glb([n for n in ARKIT if n != "tongueOut"]))
    with Runner(plan(head)):
        assert "no morph targets tongueOut" in caplog.text


def test_the_head_becomes_another_person():
    path = bundled("assets") / "heads" / "default.glb"
    shown = ShownHead(path, "", None)
    assert set(ARKIT) <= shown.shapes
    assert {"older", "noseWidth"} <= {number["name"] for number in shown.numbers}
    default, _ = shown.person({})
    other, _ = shown.person({"noseWidth": 1.0})
    moved = np.abs(np.frombuffer(other, np.float32) - np.frombuffer(default, np.float32))
    assert len(other) == len(default)
    assert 0.0005 < moved.max() < 2.0
    with pytest.raises(AssetError, match="did you mean 'noseWidth'"):
        shown.person({"noseWdth": 1.0})


def test_a_glb_alone_stays_who_it_is(head):
    shown = ShownHead(head, "", None)
    assert shown.numbers == []
    with pytest.raises(AssetError, match="cannot become another person"):
        shown.person({"older": 1.0})
    with pytest.raises(AssetError, match="cannot become another person; give"):
        ShownHead(head, "elena", None)


def test_the_page_is_built_from_these_sources():
    sums = json.loads((VIEWER / "dist" / "sources.json").read_text())
    sources = [p.relative_to(VIEWER).as_posix() for p in (VIEWER / "src").rglob("*") if p.is_file()]
    assert sorted(sums) == sorted([*sources, "build.mjs", "package-lock.json"]), "run `make viewer`"
    for name, checksum in sums.items():
        assert hashlib.sha256((VIEWER / name).read_bytes()).hexdigest() == checksum, (
            f"{name}: run `make viewer`"
        )


def test_the_page_is_small_and_needs_nobody_else():
    dist = VIEWER / "dist"
    scripts = {p.name: p.read_bytes() for p in dist.glob("*.js")}
    at_once = [data for name, data in scripts.items() if not name.startswith(("splats", "sorter"))]
    assert sum(len(gzip.compress(data)) for data in at_once) < 500_000
    html = (dist / "index.html").read_text()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
