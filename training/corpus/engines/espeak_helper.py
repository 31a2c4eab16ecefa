"""A separate program that speaks with espeak-ng's shared library: one JSON request in, one JSON answer out.

espeak-ng is GPL: it runs only in this process, on the user's own copy, and nothing of it is part of the
product. Request {"text", "voice", "rate_wpm"} -> {"rate_hz", "samples": N, "events": [[sample, ipa],
...]} followed by N little-endian int16 samples; {"text", "voice", "ipa": true} -> {"ipa": "..."}; a mistake
-> {"error": "..."}. The file imports only the standard library, so that it can be started by its path.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import sys
from typing import Any

_PHONEME_EVENTS, _PHONEME_IPA, _UTF8 = 0x01, 0x02, 1  # espeak_INITIALIZE_*, espeakCHARS_UTF8 in speak_lib.h
_RATE = 1  # espeakRATE
_EVENT_LIST_TERMINATED, _EVENT_PHONEME = 0, 7


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Speaker:
    def __init__(self) -> None:
        self.espeak = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
        self.espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self.rate_hz = self.espeak.espeak_Initialize(
            2, 500, None, _PHONEME_EVENTS | _PHONEME_IPA
        )  # 2: synchronous
        if self.rate_hz <= 0:
            raise OSError("espeak_Initialize failed")
        self.sound = bytearray()
        self.events: list[tuple[int, str]] = []
        self.callback = _CALLBACK(self._receive)
        self.espeak.espeak_SetSynthCallback(self.callback)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self.sound += ctypes.string_at(samples, 2 * count)
        at = 0
        while events[at].type != _EVENT_LIST_TERMINATED:
            if events[at].type == _EVENT_PHONEME:
                self.events.append((events[at].sample, bytes(events[at].id.string).decode("utf-8", "ignore")))
            at += 1
        return 0

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if self.espeak.espeak_SetVoiceByName(request["voice"].encode()) != 0:
            return {"error": f"voice {request['voice']!r} is not installed"}, b""
        text = request["text"].encode("utf-8")
        if request.get("ipa"):
            return {"ipa": self._ipa(text)}, b""
        self.espeak.espeak_SetParameter(_RATE, int(request["rate_wpm"]), 0)
        self.espeak.espeak_Synth(text, len(text) + 1, 0, 1, 0, _UTF8, None, None)
        count = len(self.sound) // 2
        return {"rate_hz": self.rate_hz, "samples": count, "events": self.events}, bytes(self.sound)

    def _ipa(self, text: bytes) -> str:
        pointer = ctypes.c_void_p(ctypes.cast(ctypes.c_char_p(text), ctypes.c_void_p).value)
        clauses = []
        while pointer.value:
            said = self.espeak.espeak_TextToPhonemes(ctypes.byref(pointer), _UTF8, 0x02)  # 2: IPA
            clauses.append((said or b"").decode("utf-8"))
        return " ".join(clauses)


def main() -> None:
    head, sound = Speaker().answer(json.load(sys.stdin))
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + sound)


if __name__ == "__main__":
    main()
