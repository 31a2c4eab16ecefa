"""sink.file: writes what comes into a CSV or NPZ file, with times."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, OutputFile, RtGraphError, register
from rtgraph.context import Context
from rtgraph.nodes.sink.table import CsvTable, NpzTable, Table, not_completed


@register("sink.file")
class FileSink(Node):
    """Writes every packet as a row: `time_s` and its elements. The suffix chooses the format.

    .csv: a header, then a line a packet. .npz: `time_s` [N] float64 and `data` [N, ...] as it came. Times
    count from the first packet, which is at `start_s`. While the run lasts rows go to `.NAME.part` files
    beside; the file appears under its own name, whole, when the run ends. Memory does not grow.

    A full disk is an error of the packet: with `on_error: skip` the graph goes on, the rows so far are
    kept, and writing resumes when there is room.
    """

    class Config(NodeConfig):
        path: OutputFile = Field(
            pattern=r"(?i)\.(csv|npz)$",
            description="the file, .csv or .npz; its folder is made; relative to the working directory",
        )
        columns: tuple[str, ...] = Field(
            (), description="CSV: names of the elements; without them x0, x1, ..."
        )
        start_s: float = Field(0.0, description="time_s of the first packet")

        @model_validator(mode="after")
        def _check(self) -> FileSink.Config:
            for name in self.columns:
                if not name or any(c in name for c in ',"\n\r'):
                    raise ValueError(f"'{name}' cannot be a column's name: no comma, quote or line break")
            if len(set(self.columns)) < len(self.columns) or "time_s" in self.columns:
                raise ValueError("each column needs a name of its own, other than time_s")
            if self.columns and self.path.lower().endswith(".npz"):
                raise ValueError("`columns` name those of a CSV file; an NPZ file has time_s and data")
            return self

    x = Input(ANY_TENSOR, capacity=1024)

    blocking = True

    def open(self, ctx: Context) -> None:
        self._table = self._new_table()
        self._first_ns: int | None = None

    def process(self, x: Any, ctx: Context) -> None:
        if self._first_ns is None:
            self._first_ns = ctx.timestamp_ns
        time_s = self.config.start_s + (ctx.timestamp_ns - self._first_ns) * 1e-9
        try:
            self._table.add(time_s, np.asarray(x))
        except OSError as error:
            raise RtGraphError(
                f"{self.config.path} cannot be written: {error.strerror}; {self._table.rows} rows are kept, "
                "this packet is lost. `on_error: skip` lets the graph go on"
            ) from None

    def reset(self) -> None:
        """A new run begins a new table, which replaces the old file when it ends."""
        self._table.discard()
        self._table = self._new_table()
        self._first_ns = None

    def close(self) -> None:
        if not hasattr(self, "_table"):
            return
        try:
            self._table.finish()
        except OSError as error:
            raise not_completed(self.name, self.config.path, error, self._table.remains()) from None

    def _new_table(self) -> Table:
        path = Path(self.config.path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            return NpzTable(path) if path.suffix.lower() == ".npz" else CsvTable(path, self.config.columns)
        except OSError as error:
            raise RtGraphError(f"{path} cannot be written: {error.strerror}; choose another `path`") from None
