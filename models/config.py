"""The sizes of the face networks, as data: read by torch modules, weight cards and native kernels alike."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, model_validator


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EncoderConfig(_Config):
    """Shape of the online encoder; the defaults are the base size."""

    mel_bands: PositiveInt = 80
    hops_per_frame: PositiveInt = 2  # 100 Hz mel hops to 50 Hz face frames
    stem_width: PositiveInt = 128
    stem_kernel: PositiveInt = 3  # hops seen by the first convolution
    frame_kernel: PositiveInt = 4  # hops seen by the second, which halves the rate
    width: PositiveInt = 256
    layers: PositiveInt = 6
    heads: PositiveInt = 4
    mlp_width: PositiveInt = 704
    window: PositiveInt = 128  # frames a frame attends to, itself included: 2.56 s
    rotary_base: PositiveFloat = 10_000.0
    norm_epsilon: PositiveFloat = 1e-5
    eye_features: PositiveInt = 160
    emotions: PositiveInt = 8
    style_width: PositiveInt = 16
    latent_width: PositiveInt = 64
    hidden_width: PositiveInt = 256  # what the denoiser receives, in every size

    @property
    def head_size(self) -> int:
        return self.width // self.heads

    @model_validator(mode="after")
    def _check(self) -> EncoderConfig:
        if self.width % self.heads or self.head_size % 2:
            raise ValueError(
                f"width {self.width} over {self.heads} heads must give an even whole head size: "
                "choose a width that is a multiple of 2 * heads"
            )
        if self.frame_kernel < self.hops_per_frame:
            raise ValueError(
                f"frame_kernel {self.frame_kernel} is shorter than hops_per_frame {self.hops_per_frame}: "
                "some hops would never be heard"
            )
        return self


class DenoiserConfig(_Config):
    """Shape of the one-step denoiser and of the expression head behind it; the defaults are the base size."""

    hidden_width: PositiveInt = 256
    latent_width: PositiveInt = 64
    emotions: PositiveInt = 8
    width: PositiveInt = 256
    blocks: PositiveInt = 2
    mlp_width: PositiveInt = 256
    norm_epsilon: PositiveFloat = 1e-5
    head_width: PositiveInt = 128
    weights: PositiveInt = 52  # ARKit-52, 0..1
    angles: PositiveInt = 9  # head and eye rotations, radians
    regions: PositiveInt = 6  # confidence of brows, lids, gaze, mouth, jaw, head


class FaceConfig(_Config):
    """An encoder and the denoiser that reads it."""

    encoder: EncoderConfig = EncoderConfig()
    denoiser: DenoiserConfig = DenoiserConfig()

    @model_validator(mode="after")
    def _check(self) -> FaceConfig:
        for name in ("hidden_width", "latent_width", "emotions"):
            encoder, denoiser = getattr(self.encoder, name), getattr(self.denoiser, name)
            if encoder != denoiser:
                raise ValueError(f"{name} differs: encoder {encoder}, denoiser {denoiser}; make them equal")
        return self


SIZES: dict[str, FaceConfig] = {
    "tiny": FaceConfig(
        encoder=EncoderConfig(stem_width=64, width=128, layers=3, heads=4, mlp_width=384),
        denoiser=DenoiserConfig(width=128, blocks=2, mlp_width=192, head_width=64),
    ),
    "base": FaceConfig(),
}
