"""What the nodes of the face networks share: which weights, in which precision, and the packed weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from weakref import WeakValueDictionary

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


@dataclass(frozen=True)
class Packed:
    """A part of a weights file in a precision, as the native nodes take it."""

    native: Any
    card: weights.Card


#: What is in use, by file, its time, part and precision: nodes with the same share it.
_packed: WeakValueDictionary[tuple[str, int, str, str], Packed] = WeakValueDictionary()


class NetworkNode(NativeNode):
    """Has its weights packed when it is opened: `packed`, for `native`.

    Nodes of one process with the same file and precision have the same object: a second face costs its state
    alone, and both read one copy from the processor's cache.
    """

    #: Which part of a weights file it runs, and what packs it: (config, tensors, precision) -> packed.
    part: ClassVar[Literal["encoder", "denoiser"]]
    pack: ClassVar[Callable[[Any, Any, str], Any]]

    class Config(NetworkConfig):
        pass

    def open(self, ctx: Context) -> None:
        name = self.config.weights
        asset = name if name.endswith(".safetensors") else f"asset:weights/face-{name}.safetensors"
        try:
            path = ctx.find_file(asset)
        except AssetError as error:
            sizes = sorted(
                p.stem.removeprefix("face-") for p in bundled("assets").glob("weights/face-*.safetensors")
            )
            known = ", ".join(sizes) or "none is installed"
            raise AssetError(
                f"{error}; bundled sizes: {known}; or give the path of a .safetensors file"
            ) from None
        key = (str(path.resolve()), path.stat().st_mtime_ns, self.part, self.precision)
        found = _packed.get(key)
        if found is None:
            try:
                loaded = weights.load(path)
            except (FileNotFoundError, ValueError) as error:
                raise AssetError(str(error)) from error
            config = getattr(loaded.card.config, self.part)
            native = type(self).pack(config, loaded.part(self.part), self.precision)
            found = _packed[key] = Packed(native, loaded.card)
        self.packed = found
        self.look_ahead_ms = float(found.card.look_ahead_ms) if self.part == "encoder" else 0.0

    @property
    def precision(self) -> Precision:
        """The configured precision, or the machine's best."""
        chosen: Precision | Literal["auto"] = self.config.precision
        return best_precision() if chosen == "auto" else chosen


def best_precision() -> Precision:
    """bfloat16, a quarter of float32's time and within 0.003 of its expressions; float32 without AVX2."""
    return "bfloat16" if "avx2" in instruction_sets() else "float32"
