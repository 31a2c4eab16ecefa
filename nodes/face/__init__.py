"""face.*: from sound and eyes to an expression, and from an expression to a head."""

from rtgraph.nodes.face import (
    age,
    avatar_decoder,
    emotion,
    eye_features,
    eyes,
    file,
    gain,
    mix,
    one_euro,
    one_step_denoiser,
    online_encoder,
    previous_latent,
    tour,
)

__all__ = [
    "age",
    "avatar_decoder",
    "emotion",
    "eye_features",
    "eyes",
    "file",
    "gain",
    "mix",
    "one_euro",
    "one_step_denoiser",
    "online_encoder",
    "previous_latent",
    "tour",
]
