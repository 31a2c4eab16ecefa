"""Features of face training: voices keep their faces, streams sound as a microphone gives them, shards come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")

from face_clips import recording, silence, speech, vowel

from rtgraph.kernels.mel import MelState, mel
from rtgraph.training.corpus import Chances, Clip
from rtgraph.training.corpus.face import Mood
from rtgraph.training.corpus.phones import VISEME_NAMES, VISEME_OF
from rtgraph.training.corpus.shards import Recording
from rtgraph.training.corpus.style import Style
from rtgraph.training.corpus.utterance import Utterance
from rtgraph.training.face import features
from rtgraph.training.face.batches import Windows
from rtgraph.training.face.config import DataConfig
from rtgraph.training.face.features import (
    inside_speech,
    read_shard,
    real_streams,
    synthetic_streams,
    write_shard,
)
from rtgraph.training.face.prepare import Sources, mark_of, rounds
from rtgraph.training.face.voices import VoiceChange, change_pace, change_voice


def peak_hz(audio: np.ndarray, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 1 << 16))
    hz = np.fft.rfftfreq(1 << 16, 1 / 16_000)
    inside = (hz > low) & (hz < high)
    return float(hz[inside][spectrum[inside].argmax()])


@pytest.mark.parametrize(("pitch", "pace"), [(1.5, 1.0), (0.8, 1.0), (1.0, 1.2), (1.3, 0.85)])
def test_a_voice_changes_its_pitch_and_pace_apart(pitch: float, pace: float) -> None:
    audio = vowel("a", 1.6, 100.0).astype(np.float32)
    changed = change_voice(audio, VoiceChange(pitch=pitch, formants=pitch, pace=pace))
    assert len(changed) == round(len(audio) / pace / 320) * 320
    middle = changed[4000:12000]
    assert peak_hz(middle, 60, 130 * pitch) == pytest.approx(100 * pitch, rel=0.03)
    assert np.std(changed) == pytest.approx(np.std(audio), rel=0.35)


def test_formants_move_and_the_pitch_stays() -> None:
    audio = vowel("a", 1.0, 100.0).astype(np.float32)
    changed = change_voice(audio, VoiceChange(formants=1.25))
    assert len(changed) == len(audio)
    assert peak_hz(changed, 60, 130) == pytest.approx(100, rel=0.03)

    def balance(x: np.ndarray) -> float:
        return peak_hz(x, 500, 1500)

    assert balance(changed) > 1.1 * balance(audio)


def test_a_click_stays_with_its_frame_at_another_pace() -> None:
    audio = np.zeros(32_000, np.float32)
    audio[16_000:16_200] = 0.5
    motion = np.zeros((100, 1), np.float32)
    motion[50] = 1
    for pace in (0.85, 1.0, 1.2):
        changed = change_voice(audio, VoiceChange(pace=pace))
        moved = change_pace(motion, len(changed) // 320)
        click_frame = np.abs(changed).argmax() / 320
        assert abs(float(moved[:, 0].argmax()) - click_frame) < 1.5


def test_streams_hold_the_sound_as_the_front_end_hears_it() -> None:
    clip = speech(np.random.default_rng(3))
    stream = next(synthetic_streams([clip], np.random.default_rng(0), change=False))
    np.testing.assert_allclose(stream.mel, mel(MelState(), clip.audio).astype(np.float16), atol=1e-3)
    assert stream.frames == len(clip.motion) == len(stream.mel) // 2
    assert not stream.real
    assert stream.known.all()


def test_a_clip_said_anew_has_another_voice_and_its_face_in_step() -> None:
    clip = speech(np.random.default_rng(3))
    for seed in range(4):
        stream = next(synthetic_streams([clip], np.random.default_rng(seed), change=False, anew=True))
        assert stream.frames == len(stream.mel) // 2 != len(clip.motion)
        level = stream.mel.astype(float).mean(1).reshape(-1, 2).mean(1)
        before = mel(MelState(), clip.audio).mean(1).reshape(-1, 2).mean(1)
        motion, sound = (change_pace(x[:, None], stream.frames)[:, 0] for x in (clip.motion[:, 17], before))
        assert np.corrcoef(stream.motion[:, 17].astype(float), motion)[0, 1] > 0.99
        assert np.corrcoef(level, sound)[0, 1] > 0.9


def test_a_clip_tells_what_is_being_said() -> None:
    clip = speech(np.random.default_rng(3))
    for anew in (False, True):
        stream = next(synthetic_streams([clip], np.random.default_rng(0), change=False, anew=anew))
        longer = stream.frames / len(clip.motion)
        for phone in clip.recording.said.phones:
            middle = int((phone.start_s + phone.end_s) / 2 * longer * 50)
            assert VISEME_NAMES[stream.viseme[middle]] == VISEME_OF[phone.symbol]
        assert VISEME_NAMES[stream.viseme[0]] == "silence"
    recorded = next(real_streams([recording(np.random.default_rng(4))], np.random.default_rng(0)))
    assert (recorded.viseme == -1).all()


def test_languages_with_little_speech_are_heard_again() -> None:
    def said(language: str, seconds: int) -> Clip:
        audio = np.zeros(16_000 * seconds, np.float32)
        about = {"kind": "speech", "split": "train", "language": language}
        return Clip(Recording(Utterance(audio, ()), Mood(), Style(), 0, about), np.zeros((50 * seconds, 61)))

    much, some, little = said("en", 1300), said("es", 700), said("fi", 100)
    assert rounds([much, some, little], 3) == [[much, some, little], [some, little], [little]]
    assert rounds([much], 3) == [[much]]


def test_recordings_are_joined_by_pauses_with_the_mouth_at_rest() -> None:
    rng = np.random.default_rng(4)
    clips = [recording(rng, str(i)) for i in range(3)]
    stream = next(real_streams(clips, np.random.default_rng(1)))
    assert stream.real
    assert stream.frames > 0.75 * sum(len(c.motion) for c in clips)
    assert not stream.spoken.all()
    assert stream.spoken.any()
    assert not stream.motion[:, ~stream.known].any()
    assert np.isfinite(stream.mel).all()


def test_speech_is_where_it_is_loud() -> None:
    audio = np.zeros(16_000 * 3, np.float32)
    audio[16_000:32_000] = vowel("a", 1.0, 120)
    inside = inside_speech(audio)
    assert inside[50:100].all()
    assert not inside[:40].any()
    assert not inside[110:].any()


def test_other_voices_are_heard_but_never_the_own(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(10)
    people, made = [recording(rng, str(i)) for i in range(3)], [speech(rng) for _ in range(3)]
    voices = [c.audio for c in (*people, *made)]
    told: list[list[np.ndarray]] = []

    def augment(
        audio: np.ndarray, rng: np.random.Generator, others: list[np.ndarray], _: object
    ) -> np.ndarray:
        told.append(others)
        return audio

    monkeypatch.setattr(features, "augment", augment)
    list(real_streams(people, rng, others=voices))
    list(synthetic_streams(made, rng, others=voices))
    for others, expected in zip(
        told, ([3, 4, 5], [0, 1, 2, 4, 5], [0, 1, 2, 3, 5], [0, 1, 2, 3, 4]), strict=True
    ):
        assert [i for i, voice in enumerate(voices) if any(voice is other for other in others)] == expected


def test_a_second_talker_is_in_the_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_CALM", Chances(1, 0, 0, 0, 0, 0, 0, 0))
    clip, other = (speech(np.random.default_rng(i)) for i in (11, 12))
    alone, beside = (
        next(iter(synthetic_streams([clip], np.random.default_rng(0), others=others)))
        for others in ((), (other.audio,))
    )
    assert np.abs(alone.mel - beside.mel).mean() > 0.05


def test_shards_come_back_and_windows_are_drawn_from_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    real = list(real_streams([recording(rng, str(i)) for i in range(4)], rng))
    made = list(synthetic_streams([speech(rng) for _ in range(3)], rng))
    write_shard(tmp_path / "real-000.npz", real)
    write_shard(tmp_path / "speech-000.npz", made)
    write_shard(tmp_path / "quiet-000.npz", list(synthetic_streams([silence(rng)], rng)))
    for before, after in zip(real, read_shard(tmp_path / "real-000.npz"), strict=True):
        for name in ("mel", "motion", "lips", "spoken", "viseme", "known", "emotion", "style", "real"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    shares = {"real": 0.5, "speech": 0.4, "quiet": 0.1}
    windows = Windows(tmp_path, DataConfig(batch=5, window_frames=77, look_ahead_frames=3, shares=shares))
    batch = next(windows.batches(np.random.default_rng(0)))
    assert batch.mel.shape == (5, 154, 80)
    assert batch.motion.shape == (5, 77, 61)
    assert batch.eyes.shape == (5, 77, 160)
    assert not batch.eyes[..., 14:].any()


def test_what_a_window_is_padded_with_is_not_there(tmp_path: Path) -> None:
    made = list(synthetic_streams([speech(np.random.default_rng(7))], np.random.default_rng(0)))
    write_shard(tmp_path / "speech-000.npz", made)
    config = DataConfig(batch=3, window_frames=made[0].frames + 40, shares={"speech": 1})
    batch = next(Windows(tmp_path, config).batches(np.random.default_rng(0)))
    assert batch.there[:, : made[0].frames].all()
    assert not batch.there[:, made[0].frames :].any()


def test_look_ahead_brings_later_sound_to_the_same_face(tmp_path: Path) -> None:
    clip = speech(np.random.default_rng(8))
    write_shard(tmp_path / "speech-000.npz", list(synthetic_streams([clip], np.random.default_rng(0), False)))
    stream = read_shard(tmp_path / "speech-000.npz")[0]
    now = Windows(tmp_path, DataConfig(shares={"speech": 1})).whole(stream)
    ahead = Windows(tmp_path, DataConfig(shares={"speech": 1}, look_ahead_frames=3)).whole(stream)
    assert (now.motion == ahead.motion).all()
    assert (now.mel[:, 6:] == ahead.mel[:, :-6]).all()


def test_a_kind_without_shards_is_told(tmp_path: Path) -> None:
    write_shard(
        tmp_path / "speech-000.npz",
        list(synthetic_streams([speech(np.random.default_rng(0))], np.random.default_rng(0))),
    )
    with pytest.raises(FileNotFoundError, match="real-"):
        Windows(tmp_path, DataConfig())


def test_recordings_that_are_left_out_are_not_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    for name in ("ann_1", "ann_2", "bob_1"):
        write_shard(tmp_path / f"lips-{name}.npz", list(real_streams([recording(rng, name)], rng)))
    assert len(Windows(tmp_path, DataConfig(shares={"lips": 1})).streams["lips"]) == 3
    assert len(Windows(tmp_path, DataConfig(shares={"lips": 1}, without=("ann",))).streams["lips"]) == 1
    with pytest.raises(FileNotFoundError, match="lips-"):
        Windows(tmp_path, DataConfig(shares={"lips": 1}, without=("ann", "bob")))


def test_features_are_made_anew_of_another_corpus(tmp_path: Path) -> None:
    (tmp_path / "face-00000.npz").write_bytes(b"one")
    sources = Sources(tmp_path, None)
    first = mark_of(sources, 0)
    assert first == mark_of(sources, 0)
    assert first != mark_of(sources, 1)
    (tmp_path / "face-00001.npz").write_bytes(b"two")
    assert first != mark_of(sources, 0)
