"""Phones, utterances, voices, non-speech and augmentation of the corpus."""

# ruff: noqa: RUF001 - IPA looks like other letters by design
from __future__ import annotations

import numpy as np
import pytest

from rtgraph.training.corpus import augmentation, nonspeech, phones, texts, voice
from rtgraph.training.corpus.engines.kokoro import sounds_of_japanese
from rtgraph.training.corpus.label_offset import label_lateness_s
from rtgraph.training.corpus.utterance import CorpusError, Phone, Utterance, joined

RATE_HZ = 16_000


def speech_like(rng: np.random.Generator, seconds: float = 3.0) -> Utterance:
    """Vowels and hisses in turn, with phones at exactly the times that the sound has."""
    parts, spoken, at_s = [], [], 0.0
    while at_s < seconds:
        for symbol, loud in (("s", 0.02), ("a", 0.4), ("", 0.0)):
            length = int(rng.uniform(0.06, 0.2) * RATE_HZ)
            turns = 2 * np.pi * 150 * np.arange(length) / RATE_HZ
            tone = sum(np.sin(h * turns) for h in range(1, 25)) / 12
            sound = rng.standard_normal(length) if symbol == "s" else tone
            parts.append(loud * sound)
            spoken.append(Phone(symbol, at_s, at_s + length / RATE_HZ))
            at_s += length / RATE_HZ
    return Utterance(np.concatenate(parts).astype(np.float32), tuple(spoken))


def test_ipa_is_read_into_bases() -> None:
    assert phones.segments("bˈɑːb t͡ʃ pʰ ʤ ʦ A") == [*list("bɑb"), "t", "ʃ", "p", "d", "ʒ", "t", "s", "e", "ɪ"]
    assert phones.segments("ä ũ 5 ˥ ?") == ["a", "u"]  # accents apart, tones and marks dropped
    assert phones.segments("n̩") == ["ə", "n"]


def test_a_japanese_double_consonant_is_held() -> None:
    assert sounds_of_japanese("iʔpai aʔ βaʔʨi") == list("ippai aʔ watʨi")


def test_every_sound_has_a_viseme_and_a_number() -> None:
    assert len(set(phones.INVENTORY)) == len(phones.INVENTORY) == len(phones.VISEME_OF)
    assert all(phones.VISEME_OF[b] in phones.VISEMES for b in phones.INVENTORY)
    assert {"p", "b", "m", "s", ""}.isdisjoint(phones.VOWELS)
    assert {"a", "i", "u", "y", "ə"} <= phones.VOWELS
    assert all(
        abs(sum(phones.shares(phones.from_arpabet(a))) - 1) < 1e-9 for a in ("ay", "ch", "B", "EY1", "pau")
    )
    with pytest.raises(KeyError):
        phones.from_arpabet("qq")


def test_sentences_exist_for_many_languages() -> None:
    assert len(texts.languages()) >= 20
    assert {"en", "de", "ja"} <= set(texts.languages())
    assert len(texts.sentences("en")) >= 150
    assert all(len(set(texts.sentences(code))) >= 20 for code in texts.languages())
    with pytest.raises(CorpusError, match="expected one of"):
        texts.sentences("xx")


def test_padding_joining_and_shifting_keep_phones_on_the_sound() -> None:
    rng = np.random.default_rng()
    one = speech_like(rng)
    both = joined([one, one]).padded(0.35, 0.2)
    assert len(both.audio) % 320 == 0
    for a, b in zip(one.phones, both.phones[len(one.phones) :], strict=True):
        assert b.start_s - a.start_s == pytest.approx(one.duration_s + 0.35, abs=1e-4)
    assert one.shifted(-9).phones[-1].end_s == 0.0
    assert one.shifted(9).phones[0].start_s == one.duration_s


def test_a_sound_that_dies_away_ends_its_phone() -> None:
    audio = np.zeros(RATE_HZ, np.float32)
    audio[1600:4800] = 0.5  # 0.1 to 0.3 s
    said = Utterance(audio, (Phone("a", 0.1, 0.8), Phone("", 0.8, 1.0))).ended_with_sound()
    assert said.phones[0].end_s == pytest.approx(0.31, abs=0.011)


def test_a_sound_that_is_not_heard_does_not_last_through_the_pause() -> None:
    audio = np.zeros(RATE_HZ, np.float32)
    audio[1600:4800] = 0.5
    spoken = (Phone("s", 0.1, 0.35), Phone("ɨ", 0.35, 0.8), Phone("", 0.8, 1.0))
    said = Utterance(audio, spoken).ended_with_sound()
    assert said.phones[1].end_s == pytest.approx(0.41, abs=1e-6)


@pytest.mark.parametrize("late_s", [-0.08, 0.0, 0.06])
def test_label_lateness_is_measured(late_s: float) -> None:
    said = [speech_like(np.random.default_rng(seed)) for seed in range(3)]
    right = label_lateness_s(said)
    assert label_lateness_s([u.shifted(late_s) for u in said]) - right == pytest.approx(late_s, abs=0.006)
    assert abs(right) < 0.02
    assert np.isnan(label_lateness_s([Utterance(np.zeros(RATE_HZ, np.float32), ())]))


def envelope_lag(a: np.ndarray, b: np.ndarray) -> int:
    """Samples by which b follows a, by their 5 ms energy envelopes."""
    envelopes = [np.convolve(x.astype(np.float64) ** 2, np.ones(80), "same")[::16] for x in (a, b)]
    envelopes = [e - e.mean() for e in envelopes]
    return int(16 * (len(envelopes[0]) - 1 - np.argmax(np.correlate(*envelopes, "full"))))


def test_voice_changes_leave_the_timing_alone() -> None:
    rng = np.random.default_rng()
    said = speech_like(rng)
    for changed in (
        voice.shift_formants(said.audio, 1.15),
        voice.whisper(said.audio, rng),
        voice.shout(said.audio),
    ):
        assert changed.shape == said.audio.shape
        assert np.isfinite(changed).all()
        assert np.abs(changed).max() <= 1
        assert abs(envelope_lag(said.audio, changed)) <= 160  # 10 ms
    faster = voice.resampled(said, 1.25)
    assert faster.duration_s == pytest.approx(said.duration_s / 1.25, abs=0.01)
    assert faster.phones[-1].end_s == pytest.approx(said.phones[-1].end_s / 1.25, abs=1e-3)


def test_formants_move_and_pitch_stays() -> None:
    times = np.arange(RATE_HZ) / RATE_HZ
    harmonics = np.arange(1, 60) * 120.0
    strength = np.exp(-(((harmonics - 1000) / 250) ** 2))
    sound = (0.1 * (strength[:, None] * np.sin(2 * np.pi * harmonics[:, None] * times)).sum(0)).astype(
        np.float32
    )
    moved = voice.shift_formants(sound, 1.2)
    spectrum = np.abs(np.fft.rfft(moved * np.hanning(RATE_HZ)))
    centre = (np.arange(len(spectrum)) * spectrum**2).sum() / (spectrum**2).sum()
    assert 1100 < centre < 1300
    assert int(np.argmax(spectrum)) % 120 in (0, 1, 119)


@pytest.mark.parametrize("name", list(nonspeech.NEGATIVES))
def test_negatives_are_sound_of_the_asked_length(name: str) -> None:
    rng = np.random.default_rng()
    sound = nonspeech.NEGATIVES[name](48_000, rng)
    assert sound.shape == (48_000,)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1
    assert name == "silence" or sound.std() > 1e-4


def test_laughter_carries_its_phones() -> None:
    laugh = nonspeech.laughter(np.random.default_rng())
    assert laugh.phones[-1].end_s == pytest.approx(laugh.duration_s, abs=0.01)
    assert {"h"} < {p.symbol for p in laugh.phones}


ALONE = ("reverberation", "noise", "equaliser", "band_limit", "gain", "packet_loss")


@pytest.mark.parametrize("name", ALONE)
def test_each_augmentation_changes_sound_and_keeps_time(name: str) -> None:
    rng = np.random.default_rng()
    said = speech_like(rng, 6.0)
    changed = getattr(augmentation, name)(said.audio, rng)
    assert changed.shape == said.audio.shape
    assert np.isfinite(changed).all()
    if name not in ("noise", "packet_loss"):  # these may be faint or, now and then, lose nothing
        assert not np.array_equal(changed, said.audio)
    if name not in ("packet_loss", "reverberation"):  # a tail lags by nature: see below
        assert abs(envelope_lag(said.audio, changed)) <= 160


def test_the_direct_sound_passes_a_room_at_once() -> None:
    click = np.zeros(16_000, np.float32)
    click[4000] = 0.5
    heard = augmentation.reverberation(click, np.random.default_rng())
    assert np.abs(heard[:4000]).max() < 1e-5
    assert heard[4000] == pytest.approx(0.5, abs=1e-4)
    assert np.abs(heard[4001:]).max() > 1e-4


def test_lost_packets_are_whole_and_do_not_move_the_rest() -> None:
    rng = np.random.default_rng(3)
    said = speech_like(rng, 20.0)
    changed = augmentation.packet_loss(said.audio, rng)
    packets = (changed == said.audio)[: len(changed) // 320 * 320].reshape(-1, 320)
    kept = packets.all(axis=1)
    assert 0.5 < kept.mean() < 1.0


def test_augment_is_repeatable_and_bounded() -> None:
    said = speech_like(np.random.default_rng())
    seed = int(np.random.default_rng().integers(2**31))
    every = augmentation.Chances(1, 1, 1, 1, 1, 1, 1, 1)
    once, twice = (
        augmentation.augment(said.audio, np.random.default_rng(seed), [said.audio[::-1]], every) for _ in "ab"
    )
    assert np.array_equal(once, twice)
    assert np.abs(once).max() <= 1
    assert once.dtype == np.float32
    never = augmentation.Chances(0, 0, 0, 0, 0, 0, 0, 0)
    assert np.array_equal(
        augmentation.augment(said.audio, np.random.default_rng(seed), (), never), said.audio
    )
    silent = augmentation.augment(
        np.zeros(3200, np.float32), np.random.default_rng(seed), [said.audio], every
    )
    assert np.isfinite(silent).all()
