"""All figures in one run, as JSON and as text."""

import os
import platform
import tempfile
from pathlib import Path

import torch
import torchvision

from segdemo.bench import passes
from segdemo.bench.megapixels import megapixels
from segdemo.segmenter import Segmenter

KEYS = (
    "forward_vs_matmul",
    "dense_vs_crops",
    "vs_padding100",
    "bfloat16_vs_float32",
    "megapixels",
    "rerender_ms",
    "lesson_ms",
    "teach_ms",
    "http_vs_forward",
    "clients",
    "soak",
    "first_page_s",
    "first_mask_s",
)
_SERVED = {"http_vs_forward", "clients", "soak", "first_page_s", "first_mask_s"}


def bench(wanted: tuple[str, ...], device: str, quick: bool, data: Path | None) -> dict[str, object]:
    """Measure some of `KEYS`: the passes on a device, the served app on what it chooses.

    Quick measures in fewer runs, photos of up to 4 megapixels and fewer clients. `data` is the folder of the data sets,
    for real photos to compare precisions on.

    Returns:
        A value for each key that was wanted, and `machine`.

    Raises:
        ValueError: There is no such figure or device.
    """
    unknown = sorted(set(wanted) - set(KEYS))
    if unknown:
        raise ValueError(f"There is no figure {', '.join(unknown)}. Choose from {', '.join(KEYS)}.")
    runs = 3 if quick else 11
    segmenters = passes.load_all(device)
    found: dict[str, object] = {"machine": machine(next(iter(segmenters.values())).device)}
    for key in ("forward_vs_matmul", "dense_vs_crops", "vs_padding100"):
        if key in wanted:
            found[key] = getattr(passes, key)(segmenters, runs)
    if "bfloat16_vs_float32" in wanted:
        from segdemo.bench.precision import bfloat16_vs_float32  # noqa: PLC0415 - brings Gradio, for its photos

        found["bfloat16_vs_float32"] = bfloat16_vs_float32(device, data, runs)
    if "megapixels" in wanted:
        found["megapixels"] = megapixels(4.0 if quick else 48.0, device)
    with tempfile.TemporaryDirectory() as name:
        found |= _serving(wanted, segmenters, Path(name), runs, quick)
    return found


def machine(device: torch.device) -> dict[str, object]:
    """Describe what was measured on."""
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return {
        "device": device.type,
        "gpu": gpu,
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    }


def _serving(
    wanted: tuple[str, ...], segmenters: dict[str, Segmenter], folder: Path, runs: int, quick: bool
) -> dict[str, object]:
    from segdemo.bench import serving  # noqa: PLC0415 - brings httpx, which other figures do not need

    found: dict[str, object] = {}
    if "rerender_ms" in wanted:
        found["rerender_ms"] = serving.rerender_ms(folder, runs)
    if {"lesson_ms", "teach_ms"} & set(wanted):
        from segdemo.bench import lessons  # noqa: PLC0415 - brings Gradio
        from segdemo.ui.demo import build_demo  # noqa: PLC0415

        demo = build_demo()
        found |= {key: getattr(lessons, key)(demo, runs) for key in ("lesson_ms", "teach_ms") if key in wanted}
    if _SERVED & set(wanted):
        with serving.serve(folder) as server:
            if "http_vs_forward" in wanted:
                found["http_vs_forward"] = serving.http_vs_forward(server, segmenters, folder, runs)
            if "clients" in wanted:
                counts, requests = ((1, 8), 16) if quick else ((1, 8, 32), 96)
                found["clients"] = serving.clients(server, folder, counts, requests)
            if "soak" in wanted:
                found["soak"] = serving.soak(server, folder, 100 if quick else 1000)
            found |= {key: getattr(server, key) for key in ("first_page_s", "first_mask_s") if key in wanted}
    return found


def as_text(found: dict[str, object], depth: int = 0) -> str:
    """Lay figures out in lines, indented by depth; numbers with four digits."""
    lines = []
    for key, value in found.items():
        if isinstance(value, dict):
            lines += [f"{'  ' * depth}{key}", as_text(value, depth + 1)]
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else value
            lines.append(f"{'  ' * depth}{key:24} {shown}")
    return "\n".join(lines)
