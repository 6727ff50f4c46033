"""What the subcommands of `python -m segdemo` do."""

import argparse
import json
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from segdemo import catalog, entries
from segdemo.analysis import Analysis, Style
from segdemo.batch import describe_areas, expand, read_list, write_table
from segdemo.bench.bench import KEYS as FIGURES
from segdemo.bench.bench import as_text
from segdemo.bench.bench import bench as measure_speed
from segdemo.checksums import write_sums
from segdemo.metadata import CheckpointError
from segdemo.predict import Job, Photo, Row, listed, predict_here
from segdemo.ray_engine import predict_on_ray
from segdemo.safe_files import printable, remove_partials

BAD_INPUT = 2
_FEW_CLASSES = 5  # that fit into a line
_ABANDONED = 3600  # seconds after which a part of a file is of a process that was killed


def models(options: argparse.Namespace) -> int:
    """List the networks on offer."""
    rows = {name: _describe(entry) for name, entry in (catalog.ENTRIES | catalog.own_entries()).items()}
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    for name, row in rows.items():
        classes = row["classes"]
        what = f"{len(classes):,} classes" if len(classes) > _FEW_CLASSES else ", ".join(classes) or row["problem"]
        print(f"{name:26} {what:24} {row['checkpoint']}{'' if row['present'] else ', fetched on first use'}")
        print(f"{'':26} {row['story']}")
    return 0


def predict(options: argparse.Namespace) -> int:
    """Segment photos, or all in a folder, and write mask, overlay, heatmap and facts; a bad one stops no other."""
    style = Style(options.heatmap_class, options.opacity, options.colormap)
    analysis = Analysis(options.model, options.analysis_size, options.best_quality, options.refine_edges)
    job = Job(analysis, options.out.resolve(), options.device, style)
    named = [*options.photos, *(read_list(options.list) if options.list else ())]
    if not named:
        raise ValueError("name a photo, or --list FILE")
    paths = expand(named)
    if not paths:
        raise ValueError(f"there is no photo in {', '.join(map(str, named))}: what this program made is left out")
    remove_partials(job.out, _ABANDONED)
    photos = listed(paths, job.out)
    rows: dict[int, dict[str, object]] = {}
    for photo, row in _engine(options)(job, photos):
        rows[photo.index] = row
        if row["problem"]:
            print(printable(f"segdemo predict: {row['problem']}"), file=sys.stderr)
        else:
            print(printable(f"{photo.path}: {describe_areas(row)}"), flush=True)
    if len(rows) > 1:
        write_table(job.out, [rows[index] for index in sorted(rows)], paths)
    return BAD_INPUT if any(row["problem"] for row in rows.values()) else 0


def _engine(options: argparse.Namespace) -> Callable[[Job, Sequence[Photo]], Iterator[tuple[Photo, Row]]]:
    if options.engine == "ray":
        return partial(predict_on_ray, workers=options.workers)
    if options.workers:
        raise ValueError("--workers goes with --engine ray")
    return predict_here


def app(options: argparse.Namespace) -> int:
    """Open the demo in the browser, as `python app.py` does."""
    here = Path(__file__).parent
    # In the repository it stands above the package, in an installed one among the modules.
    script = next(path for path in (here / "app.py", here.parent / "app.py") if path.is_file())
    runpy.run_path(str(script), run_name="__main__")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write a network as a file that runs without this package, for photos of any size, and check it."""
    from segdemo.export import FORMATS  # noqa: PLC0415 - a second of imports that no other command needs
    from segdemo.export import export as write  # noqa: PLC0415

    entry = catalog.find_or_open(options.network)
    path = options.out or Path(entry.name + FORMATS[options.format])
    if path.exists():
        raise ValueError(f"{path} is there already: name another file with --out")
    difference = write(entry.load(), entry.metadata, path)
    print(f"{path}: scores equal the network's to {difference:.0e} of the largest")
    return 0


def sums(options: argparse.Namespace) -> int:
    """Write the sha256 of the bundled checkpoints, to be done when one was trained anew."""
    print(write_sums(entries.CHECKPOINTS))
    return 0


def _describe(entry: entries.Entry) -> dict[str, Any]:
    row = {
        "title": entry.title,
        "group": entry.group,
        "story": entry.story,
        "checkpoint": entry.file,
        "present": entry.is_present,
        "classes": [],
    }
    try:
        metadata = entry.metadata
    except CheckpointError as error:
        return {**row, "problem": str(error)}
    said = {"licence": metadata.licence, "terms": metadata.terms}
    return {**row, "classes": list(metadata.classes), "analysis_size": metadata.analysis_size, **said}


def bench(options: argparse.Namespace) -> int:
    """Measure speed and memory: passes, requests, many clients, large photos."""
    found = measure_speed(tuple(options.figures) or FIGURES, options.device, options.quick, options.data)
    print(json.dumps(found, indent=2) if options.json else as_text(found))
    return 0
