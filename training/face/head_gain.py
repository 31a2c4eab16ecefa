"""The head's angles brought to the size that they have in the data: what can be told of them is too small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from rtgraph.models.expression import FRAME

from .batches import Windows
from .features import Stream
from .network import FaceNetwork
from .validation import animate

_HEAD = [i for i, name in enumerate(FRAME) if name.startswith("head")]
_MOST = 5.0


def enliven(network: FaceNetwork, windows: Windows, streams: Sequence[Stream]) -> list[float]:
    """Scale yaw, pitch and roll about their means; returns the gains, 1 to 5.

    The voice tells only part of a head's motion, and whoever answers with the mean of what is possible moves
    by that part alone: alive, but hardly to be seen. The last layer takes the gain, which costs nothing; that
    it lets the head tremble from frame to frame, `face.mix` takes away.
    """
    said, true = [], []
    for stream in streams:
        said.append(animate(network, windows.whole(stream))[0][:, _HEAD].astype(np.float64))
        true.append(stream.motion[:, _HEAD].astype(np.float64))
    if not said:
        return [1.0] * len(_HEAD)
    wanted, found = (np.mean([x.std(0) for x in many], axis=0) for many in (true, said))
    gains = np.clip(wanted / np.maximum(found, 1e-6), 1.0, _MOST)
    mean = np.concatenate(said).mean(0)
    out = network.denoiser.head.out
    with torch.no_grad():
        gain = torch.from_numpy(gains).to(out.weight)
        out.weight[_HEAD] *= gain[:, None]
        out.bias[_HEAD] = gain * out.bias[_HEAD] + (1 - gain) * torch.from_numpy(mean).to(out.bias)
    return [float(g) for g in gains]
