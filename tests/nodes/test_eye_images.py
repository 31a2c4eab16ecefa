"""Eye images upright and of the wanted size, and two streams as pairs."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from rtgraph.nodes.eye.image import BadImageError, EyeImageConfig, View, halves, to_eye_image
from rtgraph.nodes.eye.pairs import Frame, Pairs

MS = 1_000_000
RAMP = np.arange(32 * 48, dtype=np.uint8).reshape(32, 48)


def converted(raw, view=None, **config):
    return to_eye_image(raw, View(**(view or {})), EyeImageConfig(**config))


def test_an_image_that_fits_passes_as_it_is():
    np.testing.assert_array_equal(converted(RAMP, height=32, width=48), RAMP)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ({"crop": (8, 4, 16, 20)}, RAMP[4:24, 8:24]),
        ({"mirror": True}, RAMP[:, ::-1]),
        ({"rotate_deg": 90}, np.rot90(RAMP)),
        ({"rotate_deg": -90}, np.rot90(RAMP, -1)),
        ({"rotate_deg": 180, "mirror": True}, RAMP[::-1]),
        ({"crop": (0, 0, 16, 32), "rotate_deg": 270}, np.rot90(RAMP[:, :16], 3)),
    ],
)
def test_crop_then_rotate_then_mirror(view, expected):
    got = converted(RAMP, view, height=expected.shape[0], width=expected.shape[1])
    np.testing.assert_array_equal(got, expected)


def test_any_angle_turns_counter_clockwise_about_the_middle():
    raw = np.zeros((65, 65), np.uint8)
    raw[30:35, 56:61] = 255  # to the right of the middle
    got = converted(raw, {"rotate_deg": 45.0}, height=65, width=65)
    y, x = np.unravel_index(np.argmax(got), got.shape)
    assert (32 - y, x - 32) == pytest.approx((26 / 2**0.5, 26 / 2**0.5), abs=3)  # up and to the right


def test_sixteen_bits_and_colours():
    deep = np.array([[0, 256, 512, 65535]] * 16, np.uint16).repeat(4, 1)
    assert converted(deep, height=16, width=16)[0, ::4].tolist() == [0, 1, 2, 255]
    assert converted(deep, height=16, width=16, bits=10)[0, ::4].tolist() == [0, 64, 128, 255]
    for channels in (1, 3, 4):
        raw = np.full((16, 16, channels), 77, np.uint8)
        np.testing.assert_array_equal(converted(raw, height=16, width=16), 77)
    deep_colour = np.full((16, 16, 3), 77 * 256, np.uint16)
    np.testing.assert_array_equal(converted(deep_colour, height=16, width=16), 77)


def test_scaling_down_takes_means():
    raw = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (64, 64))
    np.testing.assert_array_equal(converted(raw, height=64, width=64), 100)


@pytest.mark.parametrize(
    "raw",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((0, 4), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(9, np.uint8),
    ],
)
def test_what_is_no_image_is_refused(raw):
    with pytest.raises(BadImageError, match="expected"):
        converted(raw)


def test_a_crop_outside_of_the_image_is_refused():
    with pytest.raises(BadImageError, match=r"crop \[100, 0, 8, 8\] lies outside"):
        converted(RAMP, {"crop": (100, 0, 8, 8)})
    with pytest.raises(ValueError, match="no piece of an image"):
        View(crop=(0, 0, 0, 5))


def test_halves_of_an_odd_width_leave_out_the_middle():
    left, right = halves(RAMP[:, :47])
    np.testing.assert_array_equal(left, RAMP[:, :23])
    np.testing.assert_array_equal(right, RAMP[:, 24:47])


def image(level):
    return np.full((2, 2), level, np.uint8)


def feed(events, tolerance_ms=10, lost_ms=100, until_ms=None):
    """Pairs of (arrival ms, eye, exposure ms), asked every millisecond: [(ms, left, right, stamp ms, held)]."""
    pairs = Pairs(tolerance_ms * MS, lost_ms * MS)
    got, waiting = [], sorted(events)
    for now in range((until_ms or waiting[-1][0] + 50) + 1):
        while waiting and waiting[0][0] <= now:
            arrived, eye, exposed = waiting.pop(0)
            pairs.add(eye, Frame(image(exposed % 256), exposed * MS, arrived * MS))
        while (pair := pairs.take(now * MS)) is not None:
            levels = [None if i is None else int(i[0, 0]) for i in pair.images]
            got.append((now, *levels, pair.exposed_ns // MS, pair.held))
    return got, pairs


def test_frames_of_one_time_are_a_pair_at_once():
    got, pairs = feed([(10, 0, 5), (10, 1, 6), (26, 1, 21), (27, 0, 22), (43, 0, 38), (50, 1, 45)])
    assert got == [(10, 5, 6, 6, ()), (27, 22, 21, 22, ()), (50, 38, 45, 45, ())]
    assert pairs.dropped == 0


def test_an_eye_that_never_came_or_is_lost_is_missing_and_holds_nothing_up():
    got, _ = feed([(k, 0, k) for k in range(10, 100, 20)])
    assert got == [(k, k, None, k, ()) for k in range(10, 100, 20)]
    events = [(k, 0, k) for k in range(0, 400, 20)] + [(k, 1, k) for k in range(0, 100, 20)]
    got, _ = feed(events)
    assert all(right is not None for now, _, right, _, _ in got if now < 100)
    assert all(right is None for now, _, right, _, _ in got if now > 200)
    assert [now for now, *_ in got if now >= 200] == list(range(200, 400, 20))  # at once, no waiting


def test_cameras_of_different_rates_repeat_the_slower():
    fast = [(k, 0, k) for k in range(0, 600, 8)]
    slow = [(k, 1, k) for k in range(3, 600, 33)]
    got, _ = feed(fast + slow)
    stamps = [stamp for *_, stamp, _ in got]
    assert stamps == sorted(set(stamps))
    assert len(got) > 600 / 15
    assert sum(held == (1,) for *_, held in got) > len(got) / 3
    assert all(left is not None and right is not None for _, left, right, _, _ in got[2:])


def test_times_that_jump_back_are_left_out():
    got, pairs = feed([(10, 0, 10), (10, 1, 10), (30, 0, 2), (31, 1, 3), (50, 0, 50), (50, 1, 50)])
    assert [stamp for *_, stamp, _ in got] == [10, 50]
    assert pairs.dropped == 2
