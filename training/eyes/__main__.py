"""`python -m rtgraph.training.eyes`: trains the eye encoder on rendered eyes and writes its weights."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from rtgraph.models.eye_encoder import EyeEncoder
from rtgraph.models.eye_weights import EyeCard, load, save
from rtgraph.training.eye_corpus.shards import EyeCorpusError

from .train import Progress, train


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rtgraph.training.eyes", description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path.home() / ".cache/rtgraph/eyes")
    parser.add_argument(
        "--out", type=Path, required=True, help="the .safetensors file; the card lies beside it"
    )
    parser.add_argument("--images", type=int, default=1_000_000, help="to show in all (default: %(default)s)")
    parser.add_argument("--start", type=Path, help="go on from these weights in place of new ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    start, before = None, 0
    if given.start:
        loaded = load(given.start)
        start = EyeEncoder.from_arrays(loaded.card.config, loaded.tensors)
        before = loaded.card.images_seen

    def report(p: Progress) -> None:
        print(
            f"{p.images:8d} of {p.wanted} images  loss {p.loss:.4f}  {p.images / p.seconds:.0f}/s", flush=True
        )
        card = EyeCard(
            name="eye",
            licence="Apache-2.0",
            config=p.encoder.config,
            data=["rendered infrared eyes, python -m rtgraph.training.eye_corpus (Apache-2.0)"],
            images_seen=before + p.images,
            notes="Both eyes share the weights; a right eye is mirrored. Trained on rendered pictures only.",
        )
        save(given.out, p.encoder.folded().arrays(), card)  # what there is, should the run be cut short

    try:
        train(given.corpus, given.images, given.seed, report, start)
    except EyeCorpusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
