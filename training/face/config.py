"""Every setting of a training run, as checked classes: what the command line and a YAML file may set."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rtgraph.models.config import SIZES, FaceConfig

#: Which shards a batch draws from.
KINDS = ("real", "speech", "quiet")
FRAME_MS = 20


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DataConfig(_Config):
    """What a batch is drawn from and how it is disturbed."""

    batch: int = Field(default=12, ge=1)
    window_frames: int = Field(default=220, ge=20, description="frames of 20 ms in a window")
    shares: dict[str, float] = Field(
        default={"real": 0.5, "speech": 0.4, "quiet": 0.1}, description="by kind of shard"
    )
    look_ahead_frames: int = Field(
        default=0, ge=0, description="frames of sound heard beyond the frame that is shown"
    )
    start_chance: float = Field(
        default=0.3, ge=0, le=1, description="windows that begin where the stream does"
    )
    eyes_present: float = Field(
        default=0.5, ge=0, le=1, description="windows of which the model sees the eyes"
    )
    emotion_present: float = Field(default=0.7, ge=0, le=1)
    style_present: float = Field(default=0.6, ge=0, le=1)
    eye_noise: float = Field(default=0.01, ge=0, description="radians, millimetres and shares alike")
    level_noise: float = Field(default=0.3, ge=0, description="nats")
    tilt_noise: float = Field(
        default=0.4, ge=0, description="nats from the middle to either end of the spectrum"
    )
    warp_chance: float = Field(default=0.5, ge=0, le=1)
    mask_chance: float = Field(default=0.3, ge=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> DataConfig:
        if unknown := set(self.shares) - set(KINDS):
            raise ValueError(f"shares of {', '.join(sorted(unknown))}; expected some of {', '.join(KINDS)}")
        if sum(self.shares.values()) <= 0 or min(self.shares.values()) < 0:
            raise ValueError(f"shares {self.shares}: expected numbers of 0 or more, one at least above 0")
        return self


class LossConfig(_Config):
    """How much each error counts."""

    frame: float = 0.6
    latent: float = 0.3
    lips: float = 0.5
    correlation: float = 2.0
    stillness: float = 1.0
    velocity: float = 0.3
    spread: float = 4.0
    jitter: float = 0.1
    confidence: float = 0.05
    to_teacher: float = 1.0
    distribution: float = 0.1
    critic: float = 1.0
    spread_gain: float = Field(
        default=1.3,
        gt=0,
        description="lips are to move this much more than the truth: on unknown voices they move less",
    )


class StageConfig(_Config):
    """How one stage is trained."""

    steps: int = Field(ge=0, description="0 leaves the stage out")
    learning_rate: float = Field(gt=0)
    warmup_steps: int = Field(default=100, ge=1)
    weight_decay: float = Field(default=0.05, ge=0)
    average: float = Field(
        default=0.995, ge=0, lt=1, description="decay of the running average of the weights that ships"
    )
    clip_norm: float = Field(default=1.0, gt=0)
    hidden_dropout: float = Field(default=0.1, ge=0, lt=1)
    validate_every: int = Field(default=500, ge=1)
    checkpoint_s: float = Field(default=120, gt=0, description="seconds between checkpoints")


class TrainConfig(_Config):
    """A run: the regression, the teacher on its encoder, the student that ships."""

    size: Literal["tiny", "base"] = "tiny"
    seed: int = 0
    bfloat16: bool = True
    temperature: float = Field(
        default=0.5, gt=0, description="of the teacher's noise that a student is taught with"
    )
    teacher_evaluations: int = Field(default=6, ge=1)
    regression: StageConfig = StageConfig(steps=2500, learning_rate=2e-3)
    teacher: StageConfig = StageConfig(steps=1200, learning_rate=1e-3)
    student: StageConfig = StageConfig(steps=1200, learning_rate=5e-4)
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()

    @property
    def face(self) -> FaceConfig:
        return SIZES[self.size]

    @property
    def look_ahead_ms(self) -> int:
        return self.data.look_ahead_frames * FRAME_MS
