"""`python -m rtgraph.training.eyes`: trains the eye encoder on rendered eyes and writes its weights; killed
at any time, it resumes by the same command. The weights are written when the training is done."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from rtgraph.models import eye_adapter
from rtgraph.models.eye_calibration import mark
from rtgraph.models.eye_weights import EyeCard, load, save
from rtgraph.training.eye_corpus.shards import EyeCorpusError

from .adapter import fit_adapter
from .people import look_at
from .train import EyeTrainingError, Progress, train
from .wearers import learn_ways


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rtgraph.training.eyes", description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path.home() / ".cache/rtgraph/eyes")
    parser.add_argument(
        "--out", type=Path, required=True, help="the .safetensors file; card and checkpoint lie beside it"
    )
    parser.add_argument("--images", type=int, default=3_500_000, help="to show in all (default: %(default)s)")
    parser.add_argument(
        "--people", type=int, default=800, help="rendered to learn how they differ (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)

    def report(p: Progress) -> None:
        print(f"{p.images:8d} of {p.wanted} images  loss {p.loss:.4f}  {p.images_a_second:.0f}/s", flush=True)

    try:
        encoder = train(given.corpus, given.images, given.seed, report, given.out.with_suffix(".checkpoint"))
        print(f"looking at {given.people} people, for calibrations and the face's adapter", flush=True)
        people = look_at(encoder, given.people)
        card = EyeCard(
            name="eye",
            licence="Apache-2.0",
            config=encoder.config,
            data=["rendered infrared eyes, python -m rtgraph.training.eye_corpus (Apache-2.0)"],
            images_seen=given.images,
            notes="Both eyes share the weights; a right eye is mirrored. Trained on rendered pictures only.",
        )
        save(given.out, encoder.arrays() | learn_ways(people, encoder.config.ways), card)
        adapter = fit_adapter(people, mark(load(given.out)))
        eye_adapter.save(given.out.with_name(f"{given.out.stem}-adapter.safetensors"), adapter)
    except (EyeCorpusError, EyeTrainingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
