"""Where everything goes in a picture of a graph: time runs to the right, each segment has a lane."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rtgraph.cli.edge_label import edge_label
from rtgraph.graph import Plan, PlannedEdge, PlannedNode

Point = tuple[float, float]

_MARGIN = 16.0
_LANE_HEAD = 22.0  # room for the lane's name
_LANE_GAP = 12.0
_GAP = 12.0  # between the items of a cell, one above the other
_PASSING = 14.0  # height kept free for an edge that passes a layer
_HOP = 46.0  # between layers, and the width of the labels there
_LETTER = 7.2  # px at 12 px; a little generous, as fonts differ
_ROW = 17.0


@dataclass
class Box:
    """A node's rectangle; x, y: its upper left corner. rows: its lines of text."""

    node: PlannedNode
    rows: list[str]
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass
class Lane:
    """A segment's band across the picture."""

    name: str
    y: float
    height: float


@dataclass
class Wire:
    """An edge's way, from point to point; drawn as smooth hops. `label` ends at the last point."""

    edge: PlannedEdge
    label: str
    points: list[Point]


@dataclass
class Layout:
    width: float
    height: float
    lanes: list[Lane]
    boxes: list[Box]
    wires: list[Wire]


def text_width(text: str) -> float:
    return _LETTER * len(text)


def lay_out(plan: Plan, extra_rows: dict[str, str]) -> Layout:
    """Layers by the longest way from a source; an edge over several layers gets a free way through those
    between.

    extra_rows: by node name, a line under the node's name and type.
    """
    return _Layouter(plan, extra_rows).result()


_Item = str | tuple[int, int]  # a node's name, or (number of an edge, layer that it passes)


class _Layouter:
    def __init__(self, plan: Plan, extra_rows: dict[str, str]) -> None:
        self.plan = plan
        self.lane_of = {n.name: i for i, s in enumerate(plan.segments) for n in s.nodes}
        self.boxes = {n.name: self._box(n, extra_rows) for n in plan.nodes}
        self.layer_of = self._layers()
        self.cells: dict[tuple[int, int], list[_Item]] = defaultdict(list)  # (layer, lane) -> top to bottom
        self.feeders: dict[_Item, list[_Item]] = defaultdict(list)  # what is drawn from the layer before
        self.middle: dict[_Item, float] = {}  # y of the item's middle
        self.columns: dict[int, tuple[float, float]] = {}  # layer -> its left and right end

    def result(self) -> Layout:
        self._fill_cells()
        lanes = self._lanes()
        self._place_rows(lanes)
        right = self._place_columns()
        wires = [self._wire(i, edge) for i, edge in enumerate(self.plan.edges)]
        bottom = lanes[-1].y + lanes[-1].height
        return Layout(right + _MARGIN, bottom + _MARGIN, lanes, list(self.boxes.values()), wires)

    def _box(self, node: PlannedNode, extra_rows: dict[str, str]) -> Box:
        rows = [node.name, node.spec.type]
        if node.name in extra_rows:
            rows.append(extra_rows[node.name])
        ports = max(len(list(node.incoming)), 1)
        width = max(text_width(row) for row in rows) + 20
        return Box(node, rows, width=width, height=max(_ROW * len(rows) + 10, _ROW * (ports + 1)))

    def _layers(self) -> dict[str, int]:
        layers: dict[str, int] = {}
        for node in self.plan.nodes:
            before = [layers[e.producer.name] for e in node.incoming if _is_forward(e)]
            layers[node.name] = max(before, default=-1) + 1
        return layers

    def _fill_cells(self) -> None:
        for name, layer in self.layer_of.items():
            self.cells[layer, self.lane_of[name]].append(name)
        for i, edge in enumerate(self.plan.edges):
            if not _is_forward(edge):
                continue
            last: _Item = edge.producer.name
            consumer = edge.consumer.name
            for layer in range(self.layer_of[edge.producer.name] + 1, self.layer_of[consumer]):
                self.cells[layer, self.lane_of[consumer]].append((i, layer))
                self.feeders[i, layer].append(last)
                last = (i, layer)
            self.feeders[consumer].append(last)

    def _item_height(self, item: _Item) -> float:
        return self.boxes[item].height if isinstance(item, str) else _PASSING

    def _cell_height(self, items: list[_Item]) -> float:
        return sum(self._item_height(item) for item in items) + _GAP * (len(items) - 1)

    def _lanes(self) -> list[Lane]:
        lanes, y = [], _MARGIN
        for i, segment in enumerate(self.plan.segments):
            tallest = max(self._cell_height(items) for (_, lane), items in self.cells.items() if lane == i)
            lanes.append(Lane(segment.name, y, _LANE_HEAD + tallest + _GAP))
            y += lanes[-1].height + _LANE_GAP
        return lanes

    def _place_rows(self, lanes: list[Lane]) -> None:
        for (_, lane), items in sorted(self.cells.items()):
            # By where they come from, so that edges cross little; layers before this one are placed already.
            items.sort(key=lambda item: _mean([self.middle[f] for f in self.feeders[item]]))
            room = lanes[lane].height - _LANE_HEAD - _GAP
            y = lanes[lane].y + _LANE_HEAD + (room - self._cell_height(items)) / 2
            for item in items:
                height = self._item_height(item)
                self.middle[item] = y + height / 2
                if isinstance(item, str):
                    self.boxes[item].y = y
                y += height + _GAP

    def _place_columns(self) -> float:
        """Set each box's x; returns the right end."""
        x = _MARGIN + 12
        for layer in range(max(self.layer_of.values()) + 1):
            boxes = [self.boxes[name] for name, at in self.layer_of.items() if at == layer]
            labels = [_label_width(edge_label(e)) for b in boxes for e in b.node.incoming]
            x += (_HOP + max(labels, default=0.0)) if layer else 0.0
            width = max(box.width for box in boxes)
            for box in boxes:
                box.x = x + (width - box.width) / 2
            self.columns[layer] = (x, x + width)
            x += width
        return x + 12

    def _wire(self, number: int, edge: PlannedEdge) -> Wire:
        start, end = self.boxes[edge.producer.name], self.boxes[edge.consumer.name]
        incoming = list(edge.consumer.incoming)
        share = (incoming.index(edge) + 1) / (len(incoming) + 1)
        points = [(start.x + start.width, start.y + start.height / 2)]
        if _is_forward(edge):
            for layer in range(self.layer_of[edge.producer.name] + 1, self.layer_of[edge.consumer.name]):
                left, right = self.columns[layer]
                points += [(left, self.middle[number, layer]), (right, self.middle[number, layer])]
        y = end.y + end.height * share
        label = edge_label(edge)
        if label and _is_forward(edge):
            points.append((end.x - _label_width(label), y))  # the label stands on a straight end
        points.append((end.x, y))
        return Wire(edge, label, points)


def _label_width(label: str) -> float:
    """Of the smaller letters of labels, and of the arrow's tip after them."""
    return 0.85 * text_width(label) + 14 if label else 0.0


def _is_forward(edge: PlannedEdge) -> bool:
    return edge.producer.position < edge.consumer.position


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
