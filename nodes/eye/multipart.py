"""The parts of a multipart/x-mixed-replace stream: how cameras send MJPEG over HTTP (RFC 2046)."""

from __future__ import annotations

import re
from collections.abc import Callable

_MOST_HEADER_BYTES = 8 * 1024
_MOST_PART_BYTES = 8 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024


class MultipartError(OSError):
    """What comes is no such stream."""


class MultipartReader:
    """Cuts bytes into parts, with `Content-Length` where a part has it, else at the next boundary."""

    def __init__(self, content_type: str, read: Callable[[int], bytes]) -> None:
        """content_type: the response's header. read: up to n bytes, as soon as there are any; b"" at the end.

        MultipartError where the header names no multipart stream with a boundary.
        """
        match = re.search(r'boundary="?([^";]+)"?', content_type, re.IGNORECASE)
        if not content_type.lower().startswith("multipart/") or match is None:
            raise MultipartError(
                f"it answers with '{content_type or 'no content type'}', not with an MJPEG stream "
                "(multipart/x-mixed-replace; boundary=...); check the path of the URL"
            )
        # Some cameras name the boundary with the dashes that stand before it in the stream, some without.
        self._boundary = b"--" + match.group(1).strip().removeprefix("--").encode("latin-1")
        self._read = read
        self._buffer = bytearray()

    def next(self) -> bytes:
        """The body of the next part. MultipartError at the end, and where bytes without sense come."""
        self._skip_past(self._boundary, _MOST_PART_BYTES)
        if self._peek(2) == b"--":
            raise MultipartError("the stream has ended")
        header = self._header().lower()
        match = re.search(rb"content-length:\s*(\d+)", header)
        if match is not None:
            return self._exactly(int(match.group(1)))
        end = self._find(self._boundary, _MOST_PART_BYTES)
        body = bytes(self._buffer[:end]).rstrip(b"\r\n")
        del self._buffer[:end]
        return body

    def _header(self) -> bytes:
        """The lines up to an empty one; CR LF, or LF alone."""
        lines: list[bytes] = []
        size = empty = 0
        while True:
            end = self._find(b"\n", _MOST_HEADER_BYTES)
            line = bytes(self._buffer[:end]).strip()
            del self._buffer[: end + 1]
            size += end
            if size > _MOST_HEADER_BYTES:
                raise MultipartError("the header of a part is too long")
            if line:
                lines.append(line)
                continue
            empty += 1  # the first ends the boundary's own line
            if lines or empty == 2:
                return b"\n".join(lines)

    def _exactly(self, size: int) -> bytes:
        if size > _MOST_PART_BYTES:
            raise MultipartError(
                f"a part claims to be {size} bytes long; at most {_MOST_PART_BYTES} are taken"
            )
        while len(self._buffer) < size:
            self._fill()
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return body

    def _skip_past(self, mark: bytes, most: int) -> None:
        end = self._find(mark, most)
        del self._buffer[: end + len(mark)]

    def _peek(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        return bytes(self._buffer[:size])

    def _find(self, mark: bytes, most: int) -> int:
        start = 0
        while (at := self._buffer.find(mark, start)) < 0:
            if len(self._buffer) > most:
                raise MultipartError(f"{most} bytes came without the mark {mark!r}")
            start = max(0, len(self._buffer) - len(mark) + 1)
            self._fill()
        return at

    def _fill(self) -> None:
        data = self._read(_BLOCK_BYTES)
        if not data:
            raise MultipartError("the stream has ended")
        self._buffer += data
