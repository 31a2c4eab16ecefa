"""The eye encoder in plain numpy: what the native step must equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def encode(
    config: Any, decode: tuple[float, ...], weights: Mapping[str, Array], left: Array, right: Array
) -> tuple[Array, Array, Array]:
    """left, right [H, W] uint8 -> features [2, features], eye states [2, 7] and mirrored [2], float64."""
    both = [_one(config, decode, weights, eye, image) for eye, image in enumerate((left, right[:, ::-1]))]
    features, state, mirrored = (np.stack(column) for column in zip(*both, strict=True))
    state[1, 0] *= -1
    return features, state, mirrored


def resample(image: Array, side: int) -> Array:
    """The middle square of [H, W] as [side, side] float64, by triangles as wide as a pixel of the coarser."""
    crop = min(image.shape)
    y, x = (image.shape[0] - crop) // 2, (image.shape[1] - crop) // 2
    scale = crop / side
    centre = (np.arange(side) + 0.5) * scale - 0.5
    weight = np.maximum(0, 1 - np.abs(np.arange(crop) - centre[:, None]) / max(1.0, scale))
    weight /= weight.sum(1, keepdims=True)
    square: Array = weight @ image[y : y + crop, x : x + crop].astype(np.float64) @ weight.T
    return square


def _one(
    config: Any, decode: tuple[float, ...], weights: Mapping[str, Array], eye: int, image: Array
) -> tuple[Array, Array, Array]:
    reach, contrast_floor, gaze, pupil_centre, pupil_scale, pupil_least, pupil_most = decode
    picture = resample(image, config.side_px) / 255
    x = ((picture - picture.mean()) / (picture.std() + contrast_floor))[:, :, None]
    f, n = config.fold, config.side_px // config.fold
    x = x.reshape(n, f, n, f).transpose(0, 2, 1, 3).reshape(n, n, f * f)  # [rows, columns, channels]
    for k, (inputs, outputs, stride) in enumerate(config.stages):
        y = _convolve(x, weights[f"stages.{k}.weight"], stride) + weights[f"stages.{k}.bias"]
        x = np.maximum(y + x if inputs == outputs else y, 0)
        if k == config.places_after:
            places = _strongest(
                x @ weights["places.weight"].T.astype(np.float64) + weights["places.bias"], reach
            )
    seen = np.concatenate([x.ravel(), places.ravel()])
    hidden = np.maximum(weights["hidden.weight"] @ seen + weights["hidden.bias"], 0)
    features = np.tanh(weights["features.weight"] @ hidden + weights["features.bias"])
    raw = weights["heads.weight"][eye] @ features + weights["heads.bias"][eye]
    pupil = np.clip(pupil_centre + pupil_scale * raw[5], pupil_least, pupil_most)
    state = np.concatenate([raw[:2] * gaze, np.clip(raw[2:5], 0, 1), [pupil, 1 / (1 + np.exp(-raw[6]))]])
    return features, state, 1 / (1 + np.exp(-raw[7]))


def _strongest(maps: Array, reach: float) -> Array:
    """maps [S, S, P] -> [P, 2]: the mean column and row under each map's softmax, -reach to reach."""
    share = np.exp(maps - maps.max((0, 1)))
    share /= share.sum((0, 1))
    line = ((np.arange(len(maps)) + 0.5) * (2 / len(maps)) - 1) * reach
    return np.stack([line @ share.sum(0), line @ share.sum(1)], 1)


def _convolve(x: Array, weight: Array, stride: int) -> Array:
    """x [H, W, in], weight [out, in, 3, 3] -> [H / stride, W / stride, out], zeros around x."""
    rows, columns, _ = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    y: Array = sum(
        padded[dy : dy + rows : stride, dx : dx + columns : stride]
        @ weight[:, :, dy, dx].T.astype(np.float64)
        for dy in range(3)
        for dx in range(3)
    )
    return y
