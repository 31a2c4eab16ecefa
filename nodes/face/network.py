"""What the nodes of the face networks share: which weights, in which precision, and how they are loaded."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rtgraph import AssetError, NativeNode, NodeConfig
from rtgraph.context import Context
from rtgraph.files import bundled
from rtgraph.kernels.linear import Precision, instruction_sets
from rtgraph.models import weights


class NetworkConfig(NodeConfig):
    """The options of a node that runs a part of the face networks."""

    weights: str = Field(
        "tiny",
        min_length=1,
        description="a bundled size (tiny, base, ...), or a .safetensors file with its card beside it; "
        "the same for encoder and denoiser",
    )
    precision: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto", description="of the packed weights; auto: bfloat16, or float32 on a processor without AVX2"
    )


class NetworkNode(NativeNode):
    """Loads its weights when it is opened; `native` then packs them."""

    class Config(NetworkConfig):
        pass

    def open(self, ctx: Context) -> None:
        name = self.config.weights
        path = name if name.endswith(".safetensors") else f"asset:weights/face-{name}.safetensors"
        try:
            self.weights = weights.load(ctx.find_file(path))
        except (FileNotFoundError, ValueError) as error:
            raise AssetError(str(error)) from error
        except AssetError as error:
            sizes = sorted(
                p.stem.removeprefix("face-") for p in bundled("assets").glob("weights/face-*.safetensors")
            )
            known = ", ".join(sizes) or "none is installed"
            raise AssetError(
                f"{error}; bundled sizes: {known}; or give the path of a .safetensors file"
            ) from None

    @property
    def precision(self) -> Precision:
        """The configured precision, or the machine's best."""
        chosen: Precision | Literal["auto"] = self.config.precision
        return best_precision() if chosen == "auto" else chosen


def best_precision() -> Precision:
    """bfloat16, a quarter of float32's time and within 0.003 of its expressions; float32 without AVX2."""
    return "bfloat16" if "avx2" in instruction_sets() else "float32"
