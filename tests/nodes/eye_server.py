"""A real MJPEG server in a process of its own, as an ESP32 eye camera is one; run by test_eye_mjpeg.py.

    python eye_server.py PORT [STYLE] [RATE_HZ]

Prints its port when it listens, which with a PORT it does once it has been sent a line; and `streaming` when it
has sent a camera's tenth image. /left and /right stream eyes: grey images whose brightness is 64 and 192.
STYLE: length (Content-Length in each part), bare (boundaries alone), damaged (every third JPEG cut short,
every fifth no JPEG at all).
"""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

BRIGHTNESS = {"/left": 64, "/right": 192}


def jpeg(level: int) -> bytes:
    image = np.full((120, 160), level, np.uint8)
    image[:8, :8] = 255 - level
    return cv2.imencode(".jpg", image)[1].tobytes()


def serve(port: int, style: str, rate_hz: float) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_GET(self):
            if self.path not in BRIGHTNESS:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=eye123")
            self.send_header("Transfer-Encoding", "chunked")  # as the ESP32's server sends it
            self.end_headers()
            good = jpeg(BRIGHTNESS[self.path])
            k = 0
            while True:
                k += 1
                body = good
                if style == "damaged":
                    body = good[: len(good) // 2] if k % 3 == 0 else b"no picture" if k % 5 == 0 else good
                head = b"" if style == "bare" else f"Content-Length: {len(body)}\r\n".encode()
                part = b"\r\n--eye123\r\nContent-Type: image/jpeg\r\n" + head + b"\r\n" + body
                for piece in (part[:100], part[100:]):
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.flush()
                if k == 10:
                    print("streaming", flush=True)
                time.sleep(1 / rate_hz)

    if port:
        sys.stdin.readline()
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), *(sys.argv[2:3] or ["length"]), float((sys.argv[3:4] or ["60"])[0]))
