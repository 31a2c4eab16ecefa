"""What the nodes of the face networks share: which weights, in which precision, and the packed weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from weakref import WeakValueDictionary

from pydantic import Field, field_validator

from rtgraph import AssetError, NativeNode
from rtgraph.context import Context
from rtgraph.errors import suggest
from rtgraph.files import bundled
from rtgraph.kernels.linear import Precision, instruction_sets
from rtgraph.models import weights
from rtgraph.nodes.device import DeviceConfig, on_cuda

_BUNDLED = "asset:weights/face-"


def _bundled_sizes() -> list[str]:
    return sorted(p.stem.removeprefix("face-") for p in bundled("assets").glob("weights/face-*.safetensors"))


class NetworkConfig(DeviceConfig):
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

    @field_validator("weights")
    @classmethod
    def _by_its_size(cls, name: str) -> str:
        """A bundled file is named by its size: encoder and denoiser compare what they say."""
        if name.startswith(_BUNDLED):
            name = name.removeprefix(_BUNDLED).removesuffix(".safetensors")
        if not name.endswith(".safetensors") and name not in _bundled_sizes():
            sizes = _bundled_sizes()
            near = suggest(name, sizes)
            known = f"did you mean '{near}'?" if near else f"bundled are {', '.join(sizes) or 'none'}."
            raise ValueError(f"there are no weights '{name}'; {known} A file's name ends with .safetensors")
        return name


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
        asset = name if name.endswith(".safetensors") else f"{_BUNDLED}{name}.safetensors"
        path = ctx.find_file(asset)
        key = (str(path.resolve()), path.stat().st_mtime_ns, self.part, self.precision)
        found = _packed.get(key) if self.config.device == "cpu" else None
        if found is None:
            try:
                loaded = weights.load(path)
            except (FileNotFoundError, ValueError) as error:
                raise AssetError(str(error)) from error
            config, tensors = getattr(loaded.card.config, self.part), loaded.part(self.part)
            if self.config.device == "cpu":
                found = _packed[key] = Packed(type(self).pack(config, tensors, self.precision), loaded.card)
            else:
                found = Packed(
                    self.captured(config, tensors), loaded.card
                )  # it holds the state, too: not shared
        self.packed = found
        self.look_ahead_ms = float(found.card.look_ahead_ms) if self.part == "encoder" else 0.0

    @property
    def precision(self) -> Precision:
        """The configured precision, or the device's best."""
        chosen: Precision | Literal["auto"] = self.config.precision
        best: Precision = "bfloat16" if self.config.device == "cuda" else best_precision()
        return best if chosen == "auto" else chosen

    def captured(self, config: Any, tensors: Mapping[str, Any]) -> Any:
        """The part as a CUDA graph. Raises AssetError where this machine or this precision has none."""
        if self.precision == "int8":
            raise AssetError(f"{self.name}.precision: int8 runs on a CPU alone; give bfloat16 or float32")

        def capture() -> Any:
            from rtgraph.nodes.face import captured

            return captured.capture(self.part, config, tensors, self.precision)

        return on_cuda(self.name, capture)


def best_precision() -> Precision:
    """bfloat16, a quarter of float32's time and within 0.003 of its expressions; float32 without AVX2."""
    return "bfloat16" if "avx2" in instruction_sets() else "float32"
