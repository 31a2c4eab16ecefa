"""Real recordings with the face that belongs to them: solved from landmarks, or as users' phones recorded it.

What a trainer takes is `read_all(split=..., sources=...)`, an iterator over `RealClip`s:

    for clip in read_all(split="train"):
        clip.audio   # [320 F] float32, 16 kHz, -1..1
        clip.motion  # [F, 61] float32 expression frames at 50 Hz; motion[k] is the face at (k + 1) / 50 s
        clip.known   # [61] bool: what the recording tells; motion is 0 elsewhere: mask the loss
        clip.lips    # [F, 2] float32 or None: aperture and width as measured, in outer-eye-corner distances
        clip.name, clip.source, clip.speaker, clip.split, clip.words

- `lips` is what the tracker saw on that person, whose rest width and gain differ from the default head's
  (`rtgraph.models.lips` reads aperture and width off a frame): compare without a clip's mean and scale.
- Of a source with measured lips only (no landmarks) `known` is False throughout.
- `split` is "train", "valid" or "judge". "judge" clips are kept to judge with: train on none of them.

A source is one npz file in the folder `sources_folder()`, made by `python -m rtgraph.training.real`; store.py
tells its layout. Angles are radians, space and signs as everywhere in rtgraph.
"""

from .clip import RealClip, RealDataError, Word
from .store import read_all, sources_folder

__all__ = ["RealClip", "RealDataError", "Word", "read_all", "sources_folder"]
