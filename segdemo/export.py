"""Networks as files that run without this package: ONNX, or what `torch.export` makes."""

import inspect
import io
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from segdemo.metadata import Metadata
from segdemo.models import SegmentationNetwork
from segdemo.safe_files import write_bytes

FORMATS = {"onnx": ".onnx", "torch": ".pt2"}
"""The endings of the files, by format."""

TOLERANCE = 1e-3
"""By how much scores may differ from the network's own, as a share of the largest."""

LEAST = 33
"""Pixels a side from which a torch file takes images; one cell alone would be another case for the tracer."""

_TOLD = ("classes", "colours", "mean", "std", "analysis_size", "has_background", "licence", "terms")
_NOTES = "segdemo.json"  # in a torch file, beside the program
_SIZES = ((64, 96), (75, 50))  # height and width: one that fits the strides, one that is padded


def is_supported() -> bool:
    """Say whether torch can leave checks of sizes to the time when the program runs; 2.8 cannot."""
    return "prefer_deferred_runtime_asserts_over_guards" in inspect.signature(torch.export.export).parameters


def export(network: SegmentationNetwork, metadata: Metadata, path: Path) -> float:
    """Write a network, in `eval` mode on the CPU, as a file for images of any size and number, and check the file.

    Its input `images` is `[N, 3, H, W]`, RGB, scaled to 0–1 and normalised; its output `scores` is `[N, C, H, W]`. What
    normalises, the classes and their colours are JSON in the file: `metadata_props` of ONNX, `segdemo.json` of torch.
    The path's ending, one of `FORMATS`', decides the format.

    Returns:
        The largest difference of a score from the network's, as a share of the largest score.

    Raises:
        ValueError: The ending is of no format, packages for ONNX are missing, torch is too old, or the file computes
            other scores.
        OSError: The file cannot be written; the error names it.
    """
    if path.suffix not in FORMATS.values():
        raise ValueError(f"{path.name} ends neither in {' nor in '.join(FORMATS.values())}")
    if not is_supported():
        raise ValueError(f"torch {torch.__version__} cannot export photos of any size: 2.11 can")
    notes = {name: json.dumps(getattr(metadata, name)) for name in _TOLD}
    is_onnx = path.suffix == FORMATS["onnx"]
    with torch.no_grad():
        (_write_onnx if is_onnx else _write_torch)(network, path, notes)
        run = _onnx_runner(path) if is_onnx else torch.export.load(path).module()
        difference = max(_difference(network, run, size) for size in _SIZES)
    if not difference <= TOLERANCE:
        path.unlink()
        raise ValueError(f"{path.name} computed scores that differ by {difference:.1e} of the largest; it was deleted")
    return difference


class _Padded(nn.Module):
    """A network whose padding and cropping are lookups, in which the tracer finds nothing that fits only some sizes."""

    def __init__(self, network: SegmentationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        multiple = self.network.size_multiple
        own = [torch.arange(side) for side in images.shape[-2:]]
        padded = [torch.arange((side + multiple - 1) // multiple * multiple) for side in images.shape[-2:]]
        rows, columns = (places.clamp(max=side - 1) for places, side in zip(padded, images.shape[-2:], strict=True))
        scores = self.network(images.index_select(2, rows).index_select(3, columns))
        return scores.index_select(2, own[0]).index_select(3, own[1])


def _program(network: SegmentationNetwork) -> torch.export.ExportedProgram:
    height, width = (torch.export.Dim(name, min=LEAST) for name in ("height", "width"))
    sizes = {0: torch.export.Dim("count"), 2: height, 3: width}
    example = torch.zeros(2, 3, *_SIZES[0])
    return torch.export.export(
        _Padded(network).eval(),
        (example,),
        dynamic_shapes=(sizes,),
        prefer_deferred_runtime_asserts_over_guards=True,  # that a padded side is no shorter: it cannot prove it
    )


def _write_torch(network: SegmentationNetwork, path: Path, notes: dict[str, str]) -> None:
    file = io.BytesIO()
    torch.export.save(_program(network), file, extra_files={_NOTES: json.dumps(notes)})
    write_bytes(path, file.getvalue())


def _write_onnx(network: SegmentationNetwork, path: Path, notes: dict[str, str]) -> None:
    missing = [name for name in ("onnx", "onnxruntime", "onnxscript") if find_spec(name) is None]
    if missing:
        raise ValueError(f"ONNX needs {', '.join(missing)}: install what requirements-export.txt lists")
    traced = _program(network)
    program = torch.onnx.export(traced, input_names=["images"], output_names=["scores"], dynamo=True, verbose=False)
    assert program is not None  # as no file was named
    program.model.metadata_props.update(notes)
    write_bytes(path, program.model_proto.SerializeToString())


def _onnx_runner(path: Path) -> Callable[[Tensor], Tensor]:
    import onnxruntime  # noqa: PLC0415 - an extra that only this format needs

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(["scores"], {"images": images.numpy()})[0])


def _difference(network: nn.Module, run: Callable[[Tensor], Tensor], size: tuple[int, int]) -> float:
    images = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0))
    wanted = network(images)
    return float((run(images) - wanted).abs().max() / wanted.abs().max())
