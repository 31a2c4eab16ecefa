"""The compiled module: one submodule an operation. The operations' Python functions state the types."""

from typing import Any

mel: Any
decode: Any
norm: Any
linear: Any
attention: Any
encoder_step: Any
denoiser_step: Any
eye_encoder_step: Any
