"""Every setting of a training run, as checked classes: what the command line and a YAML file may set."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rtgraph.models.config import SIZES, FaceConfig

#: Which shards a batch draws from.
KINDS = ("real", "lips", "speech", "quiet")
FRAME_MS = 20


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DataConfig(_Config):
    """What a batch is drawn from and how it is disturbed."""

    batch: int = Field(default=8, ge=1)
    window_frames: int = Field(default=160, ge=20, description="frames of 20 ms in a window")
    shares: dict[str, float] = Field(
        default={"real": 0.4, "lips": 0.3, "speech": 0.5, "quiet": 0.25}, description="by kind of shard"
    )
    without: tuple[str, ...] = Field(
        default=(),
        description="recordings of lips that are left out, by how their names begin: to judge with",
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
    other_eyes: float = Field(
        default=0.5, ge=0, le=1, description="of these, windows that get other eyes than the recording's"
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
        _check_shares(self.shares)
        return self


def _check_shares(shares: dict[str, float]) -> None:
    if unknown := set(shares) - set(KINDS):
        raise ValueError(f"shares of {', '.join(sorted(unknown))}; expected some of {', '.join(KINDS)}")
    if sum(shares.values()) <= 0 or min(shares.values()) < 0:
        raise ValueError(f"shares {shares}: expected numbers of 0 or more, one at least above 0")


class LossConfig(_Config):
    """How much each error counts."""

    frame: float = 1.0
    latent: float = 0.3
    lips: float = 0.8
    correlation: float = 2.5
    closure: float = 0.25
    visemes: float = 0.4
    stillness: float = 2.0
    velocity: float = 0.3
    spread: float = 2.0
    jitter: float = 0.1
    confidence: float = 0.05
    to_teacher: float = 1.0
    distribution: float = 0.1
    critic: float = 1.0
    met: float = Field(
        default=0.45,
        ge=0,
        description="in closure: what lips cost that fail to meet, beside such as meet in vain",
    )
    spread_gain: float = Field(
        default=1.3,
        gt=0,
        description="lips are to move this much more than the truth: on unknown voices they move less",
    )

    def of_frames_alone(self) -> LossConfig:
        """Without what looks at lips over time or at speech. These losses' large gradients would hide the
        eyes from a new network: it learns in 40 steps to follow them, or not in hundreds.
        """
        over_time = ("lips", "closure", "correlation", "velocity", "spread", "jitter", "stillness")
        return self.model_copy(update=dict.fromkeys((*over_time, "visemes"), 0.0))


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
    validate_every: int = Field(default=1000, ge=1)
    checkpoint_s: float = Field(default=120, gt=0, description="seconds between checkpoints")
    shares: dict[str, float] | None = Field(
        default=None, description="of a batch, by kind of shard, where they are others than data.shares"
    )
    losses: dict[str, float] = Field(default={}, description="settings of loss that are others in this stage")

    @model_validator(mode="after")
    def _check(self) -> StageConfig:
        if self.shares is not None:
            _check_shares(self.shares)
        LossConfig(**self.losses)
        return self


#: What a size changes, setting by setting: more weights learn in smaller steps, of which each takes longer.
OF_SIZE: dict[str, dict[str, Any]] = {
    "tiny": {},
    "base": {
        "regression": {"steps": 8000, "learning_rate": 1e-3},
        "people": {"steps": 250, "learning_rate": 5e-4},
        "mouths": {"steps": 120},
        "teacher": {"steps": 250, "learning_rate": 1.2e-3, "warmup_steps": 30},
        "student": {
            "steps": 150, "learning_rate": 6e-4, "warmup_steps": 20, "average": 0.97,
            "losses": {"closure": 0.5, "met": 0.45},
        },
    },
}  # fmt: skip


def changed(before: dict[str, Any], by: dict[str, Any]) -> dict[str, Any]:
    """Settings with those of a stage, the data or the losses replaced one by one."""
    return before | {
        name: {**before[name], **value} if isinstance(value, dict) and isinstance(before.get(name), dict)
        else value
        for name, value in by.items()
    }  # fmt: skip


class TrainConfig(_Config):
    """A run: single frames, the regression, the same with people of whom only the lips are known, these alone
    by the denoiser, the teacher on its encoder, the student that ships.
    """

    size: Literal["tiny", "base"] = "tiny"
    seed: int = 0
    bfloat16: bool = True
    temperature: float = Field(
        default=0.5, gt=0, description="of the teacher's noise that a student is taught with"
    )
    teacher_evaluations: int = Field(default=6, ge=1)
    frames: StageConfig = StageConfig(steps=150, learning_rate=2e-3, warmup_steps=40, average=0.9)
    regression: StageConfig = StageConfig(steps=50000, learning_rate=1.5e-3)
    people: StageConfig = StageConfig(steps=400, learning_rate=6e-4, warmup_steps=20, average=0.98)
    mouths: StageConfig = StageConfig(steps=150, learning_rate=4e-4, warmup_steps=20, average=0.98)
    teacher: StageConfig = StageConfig(steps=400, learning_rate=1.5e-3, warmup_steps=40, average=0.98)
    student: StageConfig = StageConfig(
        steps=250, learning_rate=8e-4, warmup_steps=30, average=0.98,
        # with those of data it would forget the mouths that were met
        shares={"real": 0.4, "lips": 0.9, "speech": 0.9, "quiet": 0.25},
        # noise blurs closures, and then lips meet too often
        losses={"closure": 0.6, "met": 0.2},
    )  # fmt: skip
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()

    @property
    def face(self) -> FaceConfig:
        return SIZES[self.size]

    def loss_in(self, stage: str) -> LossConfig:
        """How much each error counts in the stage of that name."""
        found = LossConfig(**(self.loss.model_dump() | getattr(self, stage).losses))
        return found.of_frames_alone() if stage == "frames" else found

    @property
    def look_ahead_ms(self) -> int:
        return self.data.look_ahead_frames * FRAME_MS
