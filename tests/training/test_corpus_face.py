"""The articulatory model and the gestures: what a viewer relies on, on phones made up for each test."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.models.expression import ARKIT, FRAME, INDEX
from rtgraph.training.corpus import articulation, phones
from rtgraph.training.corpus.face import Mood, animate
from rtgraph.training.corpus.parameters import EMOTIONS, Parameters, default
from rtgraph.training.corpus.prosody import analyse
from rtgraph.training.corpus.style import Style, draw
from rtgraph.training.corpus.utterance import Phone, Utterance

RATE_HZ = 16_000


def say(symbols: str, each_s: float = 0.12, before_s: float = 0.6, after_s: float = 0.8) -> Utterance:
    """Symbols of equal length (a blank is a pause) over a hum, with silence around."""
    spoken = tuple(
        Phone(s.strip(), before_s + i * each_s, before_s + (i + 1) * each_s) for i, s in enumerate(symbols)
    )
    length = round((before_s + len(symbols) * each_s + after_s) * RATE_HZ) // 320 * 320
    times = np.arange(length) / RATE_HZ
    voiced = np.zeros(length)
    for phone in spoken:
        if phone.symbol:
            voiced[(times >= phone.start_s) & (times < phone.end_s)] = 1
    hum = sum(np.sin(2 * np.pi * 120 * h * times) / h for h in range(1, 12))
    return Utterance((0.1 * hum * voiced).astype(np.float32), spoken)


def lips(
    said: Utterance, p: Parameters | None = None, style: Style | None = None, **mood: float
) -> np.ndarray:
    """[F, 52] of the lower face."""
    p, style = p or default(), style or Style()
    frames = len(said.audio) // 320
    mouth = articulation.move(said.phones, frames, analyse(said.audio), style, mood.get("effort", 0.0), p)
    return articulation.shapes(mouth, p.emotions["neutral"], 0.0, style, p)


def aperture_mm(weights: np.ndarray, p: Parameters | None = None) -> np.ndarray:
    """[F] opening between the lips of the default head (90 mm between the outer eye corners)."""
    reach = (p or default()).head_geometry
    return 90 * np.maximum(
        reach["rest"] + sum(gain * weights[:, INDEX[name]] for name, gain in reach.items() if name in INDEX),
        0,
    )


def frames_of(phone: Phone) -> slice:
    """Frames whose moment, (k + 1) / 50 s, lies inside the phone."""
    return slice(int(np.ceil(phone.start_s * 50)) - 1, int(phone.end_s * 50))


def test_the_frame_has_the_standard_order() -> None:
    assert len(ARKIT) == 52
    assert len(FRAME) == 61
    assert len(INDEX) == 61
    assert [ARKIT[i] for i in (0, 7, 17, 18, 41, 43, 51)] == [
        "eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthClose", "browDownLeft", "browInnerUp", "tongueOut",
    ]  # fmt: skip


@pytest.mark.parametrize("symbol", list("pbm"))
@pytest.mark.parametrize("vowel", ["a", "æ", "u"])
def test_bilabials_close_at_any_pace(symbol: str, vowel: str) -> None:
    each_s = float(np.random.default_rng().uniform(0.05, 0.2))
    said = say(f"{vowel}{symbol}{vowel}t{vowel}", each_s)
    opening = aperture_mm(lips(said))
    closed = opening[frames_of(said.phones[1])]
    assert len(closed)
    assert closed.min() < 0.5
    if vowel != "u":
        assert opening.max() > 2.5


def test_open_vowels_open_the_jaw_and_rounded_ones_protrude() -> None:
    def middle(symbol: str) -> np.ndarray:
        said = say("t" + symbol + symbol + "t", 0.15)
        return lips(said)[frames_of(said.phones[2])].mean(0)

    a, i, u, f, th = (middle(s) for s in "aiufθ")
    assert a[INDEX["jawOpen"]] > 1.5 * i[INDEX["jawOpen"]] > 0
    assert u[INDEX["mouthPucker"]] > 0.3 > a[INDEX["mouthPucker"]]
    assert i[INDEX["mouthStretchLeft"]] > 0.15 > u[INDEX["mouthStretchLeft"]]
    assert f[INDEX["mouthRollLower"]] > 0.3 > a[INDEX["mouthRollLower"]]
    assert th[INDEX["tongueOut"]] > 0.15 > a[INDEX["tongueOut"]]


def test_rounding_spreads_ahead_of_the_vowel() -> None:
    rounded, plain = say("istu"), say("isti")
    pucker = INDEX["mouthPucker"]
    during_t = frames_of(rounded.phones[2])
    assert lips(rounded)[during_t, pucker].mean() > lips(plain)[during_t, pucker].mean() + 0.1


def test_lips_are_sealed_in_silence() -> None:
    said = say("bata    tada", 0.15)
    opening = aperture_mm(lips(said))
    times = (np.arange(len(opening)) + 1) / 50
    quiet = np.ones(len(opening), bool)
    for phone in said.phones:
        if phone.symbol:
            quiet &= (times < phone.start_s - 0.2) | (times > phone.end_s + 0.2)
    assert quiet.sum() > 40
    assert opening[quiet].max() < 0.5
    assert np.abs(np.diff(opening[: int(0.35 * 50)])).max() * 50 < 0.5
    nothing = Utterance(np.random.default_rng().normal(0, 0.01, 32_000).astype(np.float32), ())
    assert aperture_mm(lips(nothing)).max() < 0.5


def test_loudness_effort_rate_and_style_scale_the_opening() -> None:
    said = say("tatatata")
    normal = aperture_mm(lips(said)).max()
    assert aperture_mm(lips(said, effort=0.8)).max() > 1.1 * normal
    assert aperture_mm(lips(said, effort=-1.0)).max() < 0.9 * normal
    assert aperture_mm(lips(say("tatatata", 0.05))).max() < normal
    assert aperture_mm(lips(said, style=Style(openness=1.4))).max() > 1.2 * normal
    lazy, jaw = (lips(said, style=Style(jaw=amount))[:, INDEX["jawOpen"]].max() for amount in (0.5, 1.5))
    assert jaw > 1.2 * lazy


def test_voices_open_for_vowels_as_one_speaker_or_by_their_height() -> None:
    def opening(symbol: str, textbook: float) -> float:
        said = say("t" + symbol + symbol + "t", 0.15)
        return float(
            aperture_mm(lips(said, style=Style(textbook=textbook)))[frames_of(said.phones[2])].mean()
        )

    assert opening("i", 0) > 0.8 * opening("a", 0)
    assert opening("i", 1) < 0.5 * opening("ɛ", 1) < 0.5 * opening("a", 1)
    assert min(opening("i", 0), opening("i", 1)) < opening("i", 0.5) < max(opening("i", 0), opening("i", 1))


def test_voices_follow_loudness_more_or_less() -> None:
    said = say("aaaaaaaa", 0.12)
    rising = Utterance(said.audio * np.linspace(0.1, 1, len(said.audio), dtype=np.float32), said.phones)

    def slope(loudness: float) -> float:
        opening = aperture_mm(lips(rising, style=Style(loudness=loudness)))
        return float(opening[frames_of(said.phones[6])].mean() / opening[frames_of(said.phones[1])].mean())

    assert slope(1.6) > 1.2 * slope(0.4) > 1.2


def test_lips_do_not_part_for_what_is_not_heard() -> None:
    """A held consonant in the middle: quiet, as a stop is, or sounding on."""
    heard = say("attta", each_s=0.15)
    stopped = np.array(heard.audio)
    stopped[int(heard.phones[1].start_s * RATE_HZ) : int(heard.phones[3].end_s * RATE_HZ)] = 0
    inside = frames_of(heard.phones[2])
    sounding, quiet = (
        aperture_mm(lips(Utterance(audio, heard.phones)))[inside] for audio in (heard.audio, stopped)
    )
    assert quiet.max() < 0.5 * sounding.min()


def test_frames_mean_their_moment() -> None:
    """A frame is the face at (k + 1) / 50 s: what is said later moves the face later, by as much."""
    said = say("tamata")
    late = said.padded(0.1, 0)
    one, two = (aperture_mm(lips(u)) for u in (said, late))
    centre = [(np.arange(len(x)) * x).sum() / x.sum() for x in (one, two)]
    assert centre[1] - centre[0] == pytest.approx(5.0, abs=0.8)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_emotions_keep_the_lips_closing(emotion: str) -> None:
    rng = np.random.default_rng()
    said = say("amabapa", float(rng.uniform(0.08, 0.15)))
    motion = animate(said, draw(rng), Mood(emotion, 1.0), default(), rng)
    opening = aperture_mm(motion[:, :52])
    for phone in said.phones[1::2]:
        assert opening[frames_of(phone)].min() < 0.8
    assert opening.max() > 2.0


def test_emotions_show_and_grow_with_intensity() -> None:
    said = say("tatatata")

    def mean(emotion: str, intensity: float) -> np.ndarray:
        return animate(said, Style(), Mood(emotion, intensity), default(), np.random.default_rng(1)).mean(0)

    for emotion, shape in [("happy", "mouthSmileLeft"), ("sad", "browInnerUp"), ("angry", "browDownLeft"),
                           ("surprise", "browOuterUpLeft"), ("disgust", "noseSneerRight"),
                           ("fear", "eyeWideLeft"), ("contempt", "mouthDimpleRight")]:  # fmt: skip
        none, half, full = (mean(emotion, x)[INDEX[shape]] for x in (0.0, 0.5, 1.0))
        assert none < half < full, emotion
        assert full > none + 0.1, emotion
    assert Mood("sad", 0.25).vector.tolist() == [0.75, 0, 0.25, 0, 0, 0, 0, 0]


def test_a_whole_face_is_in_range_and_repeatable() -> None:
    rng = np.random.default_rng()
    said = say("".join(rng.choice(list(phones.INVENTORY[1:]), 60)), 0.09)
    style, mood, seed = draw(rng), Mood("happy", 0.7, 0.3), int(rng.integers(2**31))
    one, two = (animate(said, style, mood, default(), np.random.default_rng(seed)) for _ in "ab")
    assert np.array_equal(one, two)
    assert one.shape == (len(said.audio) // 320, 61)
    assert one.dtype == np.float32
    assert np.isfinite(one).all()
    assert one[:, :52].min() >= 0
    assert one[:, :52].max() <= 1
    assert np.abs(one[:, 52:]).max() < 0.8
    assert (one[:, INDEX["mouthClose"]] <= one[:, INDEX["jawOpen"]] + 1e-6).all()


def test_gestures_have_the_statistics_they_are_given() -> None:
    """Five minutes of silence: blinks near 17 a minute that shut, gaze near the viewer, a living head."""
    quiet = Utterance(np.zeros(300 * RATE_HZ, np.float32), ())
    motion = animate(quiet, Style(), Mood(), default(), np.random.default_rng())
    lid = motion[:, INDEX["eyeBlinkLeft"]] > 0.7
    blinks = int((np.diff(lid.astype(int)) == 1).sum())
    assert 45 < blinks < 140
    shut_s = lid.sum() / 50 / blinks
    assert 0.05 < shut_s < 0.3
    yaw = np.degrees(motion[:, INDEX["leftEyeYaw"]])
    assert 0.5 < yaw.std() < 8
    assert abs(np.median(yaw)) < 2
    speed = np.abs(np.diff(np.degrees(motion[:, INDEX["headYaw"]]))) * 50
    assert 0.1 < speed.mean() < 15
    assert aperture_mm(motion[:, :52]).max() < 0.5


def test_eyes_and_look_shapes_agree() -> None:
    quiet = Utterance(np.zeros(60 * RATE_HZ, np.float32), ())
    motion = animate(quiet, Style(), Mood(), default(), np.random.default_rng(1))
    to_the_left = motion[:, INDEX["leftEyeYaw"]] > np.radians(3)  # the person's left: the left eye looks out
    assert to_the_left.any()
    assert (motion[to_the_left, INDEX["eyeLookOutLeft"]] > 0).all()
    assert (motion[to_the_left, INDEX["eyeLookInRight"]] > 0).all()
    down = motion[:, INDEX["leftEyePitch"]] > np.radians(5)
    assert (motion[down, INDEX["eyeLookDownLeft"]] > 0).all()


def test_prosody_finds_pitch_and_level() -> None:
    times = np.arange(2 * RATE_HZ) / RATE_HZ
    pitch_hz = float(np.random.default_rng().uniform(90, 300))
    sound = (0.2 * sum(np.sin(2 * np.pi * pitch_hz * h * times) / h for h in range(1, 8))).astype(np.float32)
    sound[: RATE_HZ // 2] = 0
    found = analyse(sound)
    assert np.median(found.pitch_hz[40:]) == pytest.approx(pitch_hz, rel=0.03)
    assert (found.pitch_hz[:20] == 0).all()
    assert found.level_db[:20].max() <= -79
    assert found.speech[60] == 1
    assert found.speech[5] < 0.01
