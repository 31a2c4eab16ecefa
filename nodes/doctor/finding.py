"""What the doctor finds, and how its report looks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

#: ok: as it should be. missing: not there, and a graph can do without. problem: something will not work.
Status = Literal["ok", "missing", "problem"]

_MARK = {"ok": "ok      ", "missing": "missing ", "problem": "PROBLEM "}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do about it."""

    section: str
    name: str
    status: Status
    text: str
    remedy: str = ""


def as_text(findings: Sequence[Finding]) -> str:
    """A report to read, and to copy into a bug report."""
    lines: list[str] = []
    section = ""
    width = max((len(f.name) for f in findings), default=0)
    for f in findings:
        if f.section != section:
            lines += ["", f.section] if lines else [f.section]
            section = f.section
        lines.append(f"  {_MARK[f.status]}{f.name:<{width}}  {f.text}")
        if f.remedy:
            lines.append(f"  {'':8}{'':<{width}}  -> {f.remedy}")
    return "\n".join([*lines, "", verdict(findings)])


def as_json(findings: Sequence[Finding]) -> str:
    return json.dumps(
        {"healthy": healthy(findings), "findings": [asdict(f) for f in findings]},
        indent=2,
        ensure_ascii=False,
    )


def healthy(findings: Sequence[Finding]) -> bool:
    return not any(f.status == "problem" for f in findings)


def verdict(findings: Sequence[Finding]) -> str:
    problems = sum(f.status == "problem" for f in findings)
    if problems:
        return f"{problems} problem{'s'[: problems != 1]}"
    absent = sum(f.status == "missing" for f in findings)
    return "no problems" + (
        f"; {absent} thing{'s'[: absent != 1]} missing that a graph can do without" if absent else ""
    )
