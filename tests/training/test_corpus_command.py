"""The corpus on disk: shards, resuming, repeating, remaking faces; with engines where they are installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import pytest

from rtgraph.training.corpus import CorpusError, Phone, Utterance, generate, read_all, shards
from rtgraph.training.corpus.engines import EngineMissing, load
from rtgraph.training.corpus.label_offset import label_lateness_s
from rtgraph.training.corpus.texts import sentences


class Hummer:
    """An engine for tests: every letter is a tenth of a second of hum."""

    name = "flite"
    label_offset_s = 0.0

    def languages(self) -> tuple[str, ...]:
        return ("en", "de")

    def voices(self, language: str) -> tuple[str, ...]:
        return tuple(f"{language}{i}" for i in range(8)) if language in self.languages() else ()

    def speak(
        self,
        text: str,
        voice: str,
        *,
        language: str = "en",
        rate: float = 1.0,
        pitch: float = 0.0,
        seed: int = 0,
    ) -> Utterance:
        letters = [c if c in "aiumbst" else "" for c in text.lower()][:30]
        each = round(1600 / rate)
        times = np.arange(each * len(letters)) / 16_000
        audio = 0.3 * np.sin(2 * np.pi * 140 * times) * np.repeat([bool(c) for c in letters], each)
        spoken = (Phone(c, i * each / 16_000, (i + 1) * each / 16_000) for i, c in enumerate(letters))
        return Utterance(audio.astype(np.float32), tuple(spoken))


@pytest.fixture
def hummer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtgraph.training.corpus.engines.load", lambda name: Hummer())


@pytest.mark.usefixtures("hummer")
def test_an_interrupted_corpus_goes_on_to_the_same(tmp_path: Path) -> None:
    seed = int(np.random.default_rng().integers(1000))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    seconds = generate(whole, 0.03, seed, ("flite",))
    assert seconds >= 0.03 * 3600

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(parts, 0.03, seed, ("flite",), interrupt)
    (parts / "speech-00001.part").write_bytes(b"half a shard")
    assert generate(parts, 0.03, seed, ("flite",)) == seconds
    for path in sorted(whole.glob("*.npz")):
        assert (parts / path.name).read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("hummer")
def test_clips_come_back_as_they_were_and_in_splits(tmp_path: Path) -> None:
    generate(tmp_path, 0.06, 5, ("flite",))
    clips = list(read_all(tmp_path))
    assert {c.recording.about["kind"] for c in clips} > {"speech"}
    assert len(clips) == len(list(read_all(tmp_path, "train"))) + len(list(read_all(tmp_path, "valid")))
    for clip in clips:
        assert clip.audio.dtype == np.float32
        assert len(clip.audio) == 320 * len(clip.motion)
        assert clip.motion.shape[1] == 61
        assert np.isfinite(clip.motion).all()
        ends = [p.end_s for p in clip.recording.said.phones]
        assert ends == sorted(ends)
        assert all(e <= len(clip.audio) / 16_000 + 1e-3 for e in ends)
    voices = {
        split: {c.recording.about.get("voice") for c in read_all(tmp_path, split)}
        for split in ("train", "valid")
    }
    assert voices["valid"] - {None}
    assert (voices["train"] & voices["valid"]) <= {None}


def test_a_timbre_trains_or_validates_in_every_language() -> None:
    from rtgraph.training.corpus.clips import split_of
    from rtgraph.training.corpus.engines import espeak

    for timbre in espeak._TIMBRES:
        accents = [accent for accents in espeak._LANGUAGES.values() for accent in accents]
        assert len({split_of("espeak", f"{accent}+{timbre}") for accent in accents}) == 1
    held_out = [split_of("espeak", f"en-us+{timbre}") == "valid" for timbre in espeak._TIMBRES]
    assert 1 <= sum(held_out) <= 3


@pytest.mark.usefixtures("hummer")
def test_a_corpus_of_an_earlier_version_is_used_as_it_is(tmp_path: Path) -> None:
    made = generate(tmp_path, 0.001, 1, ("flite",))
    about = tmp_path / "corpus.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"version": 1}))
    clips = len(list(read_all(tmp_path)))
    shards.face_path(tmp_path, 0).unlink()
    assert generate(tmp_path, 0.001, 1, ("flite",)) == made
    assert len(list(read_all(tmp_path))) == clips
    with pytest.raises(CorpusError, match="not made longer"):
        generate(tmp_path, 0.1, 1, ("flite",))


@pytest.mark.usefixtures("hummer")
def test_new_parameters_remake_the_faces_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rtgraph.training.corpus.parameters import default

    generate(tmp_path, 0.01, 2, ("flite",))
    speech, face = shards.speech_path(tmp_path, 0), shards.face_path(tmp_path, 0)
    before, sound_time = face.read_bytes(), speech.stat().st_mtime_ns
    other = default().model_copy(update={"full_aperture": 0.2})
    generate_globals = generate.__globals__
    monkeypatch.setitem(generate_globals, "default", lambda: other)
    generate(tmp_path, 0.01, 2, ("flite",))
    assert face.read_bytes() != before
    assert speech.stat().st_mtime_ns == sound_time
    assert len(shards.mark_of(face)) == 16
    after = face.stat().st_mtime_ns
    generate(tmp_path, 0.01, 2, ("flite",))
    assert face.stat().st_mtime_ns == after


@pytest.mark.usefixtures("hummer")
def test_another_seed_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    generate(tmp_path, 0.001, 1, ("flite",))
    with pytest.raises(CorpusError, match=r"seed is 1, expected 2"):
        generate(tmp_path, 0.001, 2, ("flite",))


def test_bad_folders_and_names_are_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"holds no face-\*\.npz"):
        list(read_all(tmp_path))
    shards.speech_path(tmp_path, 0).write_bytes(b"no zip")
    with pytest.raises(CorpusError, match="is no shard"):
        shards.seconds(shards.speech_path(tmp_path, 0))
    with pytest.raises(CorpusError, match="expected one of espeak, flite"):
        load("sam")


def test_a_missing_engine_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(EngineMissing, match="apt-get install flite"):
        load("flite")
    monkeypatch.setitem(sys.modules, "hibari", None)
    with pytest.raises(EngineMissing, match="pip install hibari-tts"):
        load("hibari")


@pytest.mark.skipif(
    not shutil.which("flite") or not find_library("espeak-ng"), reason="needs flite and espeak-ng"
)
def test_the_mini_corpus_is_made_by_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rtgraph.training.corpus", "--mini", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "corpus.json").read_text())["engines"] == ["espeak", "flite"]
    clips = list(read_all(tmp_path))
    assert sum(len(c.audio) for c in clips) / 16_000 >= 120
    assert len({c.recording.about.get("language") for c in clips}) >= 5
    refused = subprocess.run([*command, "--seed", "9"], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "another --out" in refused.stderr


@pytest.mark.skipif(not shutil.which("flite"), reason="needs flite")
def test_several_processes_speak_the_same_corpus(tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    seconds = generate(alone, 0.04, 3, ("flite",))
    assert generate(together, 0.04, 3, ("flite",), processes=2) == seconds
    for path in sorted(alone.glob("*.npz")):
        assert (together / path.name).read_bytes() == path.read_bytes()


def test_what_is_missing_in_another_process_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="'lute' is not known"):
        generate(tmp_path, 0.01, 3, ("lute",), processes=2)


@pytest.mark.parametrize(
    "name", ["espeak", "flite", "hibari", pytest.param("kokoro", marks=pytest.mark.slow)]
)
def test_engines_repeat_and_their_labels_fit_their_sound(name: str) -> None:
    try:
        engine = load(name)
    except EngineMissing as missing:
        pytest.skip(str(missing))
    voice = engine.voices("en")[0]
    said = [engine.speak(text, voice, seed=3) for text in sentences("en")[:4]]
    again = engine.speak(sentences("en")[0], voice, seed=3)
    assert np.array_equal(again.audio, said[0].audio)
    assert again.phones == said[0].phones
    assert {"b", "p", "m"} & {p.symbol for p in said[0].phones}
    assert abs(label_lateness_s(said)) < 0.025
    slow = engine.speak(sentences("en")[0], voice, rate=0.7)
    assert slow.duration_s > 1.15 * said[0].duration_s


def test_espeak_speaks_every_language_at_a_pace_of_people() -> None:
    """Sounds a second: Danish, Russian and Ukrainian had 17 to 19."""
    try:
        engine = load("espeak")
    except EngineMissing as missing:
        pytest.skip(str(missing))
    for language in engine.languages():
        said = engine.speak(" ".join(sentences(language)[:4]), engine.voices(language)[0], language=language)
        sounds = [phone for phone in said.phones if phone.symbol]
        assert 9 < len(sounds) / sum(phone.duration_s for phone in sounds) < 16.5, language


@pytest.mark.slow
def test_kokoro_reads_japanese_as_it_is_spoken() -> None:
    try:
        engine = load("kokoro")
    except EngineMissing as missing:
        pytest.skip(str(missing))
    said = engine.speak("わたしは、とうきょうです。", "jf_alpha", language="ja")
    spoken = "".join(phone.symbol or " " for phone in said.phones).split()
    assert spoken == ["wataɕiwa", "tokodesɨ"]
