"""How scores are shown: a table for people, an object for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .lip_measures import Measures
from .score import ALL, Scores, paired

_COLUMNS = {
    "aperture_r": "aperture r", "aperture_r_best": "best", "aperture_lag_ms": "lag ms",
    "width_r": "width r", "closure_j": "closure J", "closure_recall": "recall",
    "std_ratio": "std x", "jitter_ratio": "jitter x", "silence_motion_mm_s": "silence mm/s",
    "lve_mm2": "LVE mm2", "fdd_mm2": "FDD mm2",
}  # fmt: skip

#: What a method is compared by with another, clip by clip.
COMPARED = ("aperture_r", "width_r", "closure_j")


def table(methods: Mapping[str, Scores], clips: bool = False) -> Table:
    """A row for every method and collection, and for every clip where wanted."""
    rows = [(name, label, m) for name, scores in methods.items() for label, m in _rows(scores, clips)]
    shown = {key: title for key, title in _COLUMNS.items() if any(key in m for _, _, m in rows)}
    out = _table("method", "clips", *shown.values())
    for name, label, measures in rows:
        out.add_row(name, label, *(_number(key, measures) for key in shown))
    return out


def comparison(first: str, second: str, methods: Mapping[str, Scores]) -> Table:
    """first - second over the clips that both have, with its 95 % interval, by collection."""
    out = _table(f"{first} - {second}", *(_COLUMNS[key] for key in COMPARED))
    for group in methods[first].groups():
        intervals = [paired(methods[first], methods[second], key, group) for key in COMPARED]
        if any(intervals):
            out.add_row(
                group,
                *("-" if i is None else f"{i.mean:+.3f} ({i.low:+.3f} to {i.high:+.3f})" for i in intervals),
            )
    return out


def as_json(methods: Mapping[str, Scores], probes: Mapping[str, Mapping[str, Measures]]) -> dict[str, Any]:
    """Everything, by the names of the measures; `paired` compares each method with the last one."""
    out: dict[str, Any] = {
        name: {"groups": s.groups(), "clips": s.clips, "missing": s.missing, "probes": probes.get(name, {})}
        for name, s in methods.items()
    }
    *others, base = methods
    out["paired"] = {
        f"{name} - {base}": {
            group: {
                key: i._asdict()
                for key in COMPARED
                if (i := paired(methods[name], methods[base], key, group))
            }
            for group in methods[name].groups()
        }
        for name in others
    }
    return out


def _table(*titles: str) -> Table:
    out = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title in titles:
        out.add_column(title, no_wrap=True)
    return out


def _rows(scores: Scores, clips: bool) -> list[tuple[str, Measures]]:
    groups = scores.groups()
    if len(groups) == 2:  # one collection: all of them is the same
        groups.pop(ALL)
    return (list(scores.clips.items()) if clips else []) + list(groups.items())


def _number(key: str, measures: Measures) -> str:
    if key not in measures:
        return "-"
    return f"{measures[key]:.0f}" if "lag" in key else f"{measures[key]:.3f}"
