"""The articulatory model's numbers as checked classes; parameters.json holds their values and nothing else
does.

Sources: dominance functions, Cohen & Massaro 1993 ("Modeling coarticulation in synthetic visual speech"); jaw
and lip as two independent amounts, Edwards et al. 2016 (JALI); emotions, the FACS prototypes of Ekman &
Friesen 1978; gestures, each cited where it is used (gestures.py).

Calibration: aperture, jaw and width targets, dominances and fall-offs of the English sounds were fitted
(ridge regression inside a random search) to 250 sentences of speaker s1 of the GRID audio-visual corpus
(Cooke et al. 2006, CC BY 4.0), aligned with their true text, and drawn a fifth of the way back to
values set by hand. Sounds that he does not say keep the proportions of the latter. One man is not all: he
opens as far for i as for a, and little further where he is loud. A voice of the corpus (style.py) stands
somewhere between him and the textbook openings, set by hand in the order of vowel height (Handbook of the
International Phonetic Association 1999; for the jaw Lindblom & Sundberg 1971, J. Acoust. Soc. Am. 50), and
follows loudness more or less than the average.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Viseme(_Section):
    """Where a sound wants the mouth, each 0..1, and how strongly (the dominance's height)."""

    aperture: float = Field(description="opening between the inner lips; 1 is `full_aperture`")
    jaw: float = Field(description="jaw opening; 1 is `full_jaw`")
    spread: float = Field(description="corners drawn back")
    round: float = Field(description="lips narrowed and protruded")
    funnel: float = Field(description="lips protruded and open")
    bite: float = Field(description="lower lip at the upper teeth")
    press: float = Field(description="lips pressed together")
    tongue: float = Field(description="tongue tip seen")
    textbook_aperture: float = Field(description="opening by the height of the vowel, of no speaker alone")
    textbook_jaw: float = Field(description="jaw opening by the height of the vowel")
    open_strength: float = Field(gt=0, description="dominance over aperture and jaw")
    shape_strength: float = Field(gt=0, description="dominance over spread, round and funnel")


class Kinetics(_Section):
    """How far a group of controls reaches beyond its sound: the dominance falls by exp(-rate x distance)."""

    before_per_s: float = Field(
        gt=0, description="fall-off ahead of the sound (anticipation); small reaches far"
    )
    after_per_s: float = Field(gt=0, description="fall-off behind the sound (carry-over)")
    lead_s: float = Field(description="the gesture's centre precedes the sound's by this")
    hold: float = Field(ge=0, le=1, description="share of the sound's time at full dominance")


class Closure(_Section):
    """Lips that must meet: a window over each bilabial that forces the aperture to zero."""

    ramp_s: float = Field(gt=0, description="time from open to shut and back")
    shortest_s: float = Field(ge=0, description="the lips stay shut at least this long")
    overhang: float = Field(description="share of the sound's time by which the window is longer")


class SpeechRate(_Section):
    phones_per_s: float = Field(gt=0, description="an ordinary pace")
    kinetics_exponent: float = Field(
        description="faster speech reaches less far: fall-offs x (rate ratio) ** this"
    )
    opening_exponent: float = Field(description="faster speech opens less: openings / (rate ratio) ** this")


class Loudness(_Section):
    opening_per_10_db: float = Field(
        description="opening gained per 10 dB over the speaker's own level, by an average speaker"
    )
    jaw_per_10_db: float = Field(description="jaw gained on top of that")
    opening_per_effort: float = Field(
        description="opening gained by a shout (effort 1), lost by a whisper (-1)"
    )
    least: float
    most: float


class Rest(_Section):
    close_s: float = Field(
        gt=0, description="in silence the lips are sealed this long after and before speech"
    )


class Emotion(_Section):
    """Constant shapes (names without a side mean both sides) and how speaking changes, at intensity 1."""

    shapes: dict[str, float]
    opening: float
    jaw: float
    head: float
    brows: float
    blink_rate: float
    pitch_rad: float = 0.0


class Gestures(_Section):
    """Statistics of blinks, gaze, head and brows: gestures.py says where each comes from."""

    blinks_per_min_speaking: float
    blinks_per_min_silent: float
    blink_interval_log_sd: float
    blink_close_s: float
    blink_shut_s: float
    blink_open_s: float
    blink_pause_pull: float
    saccade_mean_deg: float
    saccade_most_deg: float
    saccade_base_s: float
    saccade_s_per_deg: float
    mutual_gaze_s: float
    averted_gaze_s: float
    fixation_drift_deg: float
    microsaccade_mean_s: float
    lid_follows_gaze: float
    eye_range_deg: float
    head_sd_deg: tuple[float, float, float]
    head_hz: float
    head_voice_share: float = Field(ge=0, le=1, description="of the head's motion that goes with the voice")
    nod_deg: float
    nod_s: float
    nod_share: float
    brow_rise: float
    brow_s: float
    brow_share: float
    breath_hz: float
    breath_deg: float


class Parameters(_Section):
    visemes: dict[str, Viseme]
    kinetics: dict[str, Kinetics]
    closure: Closure
    smoothing_s: float = Field(ge=0, description="standard deviation of the last low-pass (the flesh)")
    full_aperture: float = Field(
        gt=0, description="aperture 1, in distances between the outer eye corners (90 mm)"
    )
    full_jaw: float = Field(gt=0, description="jawOpen at jaw 1")
    speech_rate: SpeechRate
    loudness: Loudness
    rest: Rest
    head_geometry: dict[str, float] = Field(
        description="aperture gained per unit of each shape on the default head, in the unit of full_aperture"
    )
    emotions: dict[str, Emotion]
    gestures: Gestures


EMOTIONS = ("neutral", "happy", "sad", "angry", "fear", "disgust", "surprise", "contempt")


def read(path: Path) -> Parameters:
    """Parameters from a file; pydantic.ValidationError names the field, what was expected and what came."""
    return Parameters.model_validate_json(path.read_text("utf-8"))


@cache
def default() -> Parameters:
    """The parameters that ship."""
    return read(Path(__file__).with_name("parameters.json"))
