"""Options of the command line that change a graph, `--set mic.path=a.wav`: each is a text of its own, that
diagnostics point into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rtgraph.errors import GraphError, suggest
from rtgraph.places import Loc
from rtgraph.plain_words import clip, describe
from rtgraph.yaml_source import Source, option_text, parse_option


def apply_options(
    source: Source,
    variables: Mapping[str, str],
    overrides: Sequence[tuple[str, str]],
    swaps: Mapping[str, str],
) -> None:
    """Change the source as the options say; what is wrong with them is told in `source.problems`."""
    for node, type_name in swaps.items():
        _apply(source, "--swap", node, type_name, _swap)
    for field, value in overrides:
        _apply(source, "--set", field, value, _override)
    for name, value in variables.items():
        _apply(source, "--var", name, value, _set_variable)


class _Option:
    """One option: its name and key, and the source that its value becomes."""

    def __init__(self, source: Source, flag: str, key: str, value: str) -> None:
        self.source = source
        self.key = key
        self.start = len(flag) + 1
        self.text = option_text(f"{flag} {key}={value}")
        self.value_start = self.start + len(key) + 1

    def problem(self, part: str, message: str, expected: str | None = None, hint: str | None = None) -> None:
        """Report a mistake at the first place of `part` in the option's key."""
        at = self.start + max(0, self.key.find(part))
        span = self.text.span(0, at, 0, at + len(part))
        self.source.problems.append(span.diagnostic(message, expected, hint))

    def put(self, loc: Loc) -> None:
        value = parse_option(self.text.content, self.value_start)
        self.source.problems += value.problems
        key = self.text.span(0, self.start, 0, self.start + len(self.key))
        blocking = self.source.put(loc, value, key)
        if blocking is not None:
            what = describe(self.source.value(blocking))
            self.problem(
                str(blocking[-1]), f"'{blocking[-1]}' is {what}, not a mapping", "the whole value set at once"
            )

    def has_node(self, node: str) -> bool:
        nodes = self.source.value(("nodes",))
        known = nodes if isinstance(nodes, dict) else {}
        if node not in known:
            self.problem(
                node, f"there is no node '{clip(node)}'", ", ".join(known) or None, suggest(node, known)
            )
        return node in known


def _apply(source: Source, flag: str, key: str, value: str, action: Callable[[_Option], None]) -> None:
    option = _Option(source, flag, key, value)
    try:
        action(option)
    except GraphError as error:  # a syntax error in the option's value
        source.problems += error.diagnostics


def _swap(option: _Option) -> None:
    if option.has_node(option.key):
        option.source.drop(("nodes", option.key, "config"))
        option.put(("nodes", option.key, "type"))


def _override(option: _Option) -> None:
    node, dot, rest = option.key.partition(".")
    if not dot:
        if option.key in ("budget_ms", "clock"):
            option.put((option.key,))
        else:
            hint = suggest(option.key, ("budget_ms", "clock"))
            option.problem(
                option.key, f"'{clip(option.key)}' cannot be set", "node.field, budget_ms or clock", hint
            )
    elif not all(rest.split(".")):
        option.problem(option.key, f"'{clip(option.key)}' names no field", "node.field")
    elif option.has_node(node):
        option.put(("nodes", node, "config", *rest.split(".")))


def _set_variable(option: _Option) -> None:
    declared = option.source.value(("variables",))
    known = declared if isinstance(declared, dict) else {}
    if option.key not in known:
        message = f"the graph declares no variable '{clip(option.key)}'"
        option.problem(option.key, message, ", ".join(known) or None, suggest(option.key, known))
    else:
        option.put(("variables", option.key))
