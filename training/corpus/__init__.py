"""The corpus: synthesised speech with phone times, and the face that an articulatory model gives it."""

from .augmentation import Chances, augment
from .generate import generate
from .shards import Clip, Recording, read_all
from .utterance import CorpusError, Phone, Utterance

__all__ = [
    "Chances",
    "Clip",
    "CorpusError",
    "Phone",
    "Recording",
    "Utterance",
    "augment",
    "generate",
    "read_all",
]
