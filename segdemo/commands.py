"""What the subcommands of `python -m segdemo` do."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from segdemo import catalog
from segdemo.batch import Style, describe_areas, expand, read_list, write_table
from segdemo.bench.bench import KEYS as FIGURES
from segdemo.bench.bench import as_text
from segdemo.bench.bench import bench as measure_speed
from segdemo.checkpoints import CheckpointError, write_sums
from segdemo.devices import choose_device
from segdemo.predict import Job, Photo, Row, listed, predict_here
from segdemo.ray_engine import predict_on_ray
from segdemo.segmenter import Segmenter
from segdemo.training import report
from segdemo.training.calibrate import calibrate as set_background
from segdemo.training.data import CLASSES, load_pets
from segdemo.training.evaluate import Look
from segdemo.training.evaluate import evaluate as measure
from segdemo.training.negatives import load_negatives
from segdemo.training.recipes import RECIPES

BAD_INPUT = 2
_FEW_CLASSES = 5  # that fit into a line


def models(options: argparse.Namespace) -> int:
    """List the networks on offer."""
    rows = {name: _describe(entry) for name, entry in catalog.ENTRIES.items()}
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
    look = (options.analysis_size, options.best_quality, options.refine_edges)
    job = Job(options.model, options.out.resolve(), options.device, *look, style)
    named = [*options.photos, *(read_list(options.list) if options.list else ())]
    photos = listed(expand(named))
    if not photos:
        raise ValueError(
            f"there is no file in {', '.join(map(str, named))}" if named else "name a photo, or --list FILE"
        )
    rows: dict[int, dict[str, object]] = {}
    for photo, row in _engine(options)(job, photos):
        rows[photo.index] = row
        if row["problem"]:
            print(f"segdemo predict: {row['problem']}", file=sys.stderr)
        else:
            print(f"{photo.path}: {describe_areas(row)}")
    if len(rows) > 1:
        write_table(job.out, [rows[index] for index in sorted(rows)])
    return BAD_INPUT if any(row["problem"] for row in rows.values()) else 0


def _engine(options: argparse.Namespace) -> Callable[[Job, Sequence[Photo]], Iterator[tuple[Photo, Row]]]:
    if options.engine == "ray":
        return partial(predict_on_ray, workers=options.workers)
    if options.workers:
        raise ValueError("--workers goes with --engine ray")
    return predict_here


def train(options: argparse.Namespace) -> int:
    """Train a network by its recipe."""
    try:
        from segdemo.training.loop import Trainer  # noqa: PLC0415 - accelerate is not among what the app needs
    except ImportError as error:
        raise ValueError(f"{error}: training needs what requirements-dev.txt lists") from error
    if options.recipe not in RECIPES:
        raise ValueError(f"there is no recipe {options.recipe!r}: choose from {', '.join(RECIPES)}")
    settings = {"seed": options.seed, "init": options.init, "from_phase": options.from_phase}
    if options.negatives is not None:
        settings["negatives"] = load_negatives(options.negatives)
    device = str(choose_device(options.device))
    trainer = Trainer(RECIPES[options.recipe], options.out / options.recipe, **settings, device=device)
    if trainer.has_state and not options.resume:
        raise ValueError(f"{trainer.folder} holds a run: go on with --resume, or choose another folder with --out")
    if options.resume and not trainer.resume():
        print(f"nothing to resume in {trainer.folder}: starting afresh", file=sys.stderr)
    training, held_out = load_pets(options.data, "trainval", download=options.download).split_held_out()
    trainer.fit(training, held_out, options.max_minutes)
    done = trainer.progress.epoch == trainer.recipe.epochs
    print(
        f"{trainer.checkpoint}: {trainer.progress.epoch} of {trainer.recipe.epochs} epochs"
        f"{'' if done else ', go on with --resume'}"
    )
    return 0


def calibrate(options: argparse.Namespace) -> int:
    """Shift the background's score of a trained checkpoint to what is best on the held-out photos."""
    _, held_out = load_pets(options.data, "trainval", download=options.download).split_held_out()
    shift = set_background(options.checkpoint, held_out)
    print(f"{options.checkpoint}: background {shift:+.1f}")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Measure networks on a labelled split."""
    if not options.networks and not options.all:
        raise ValueError("name one or more networks, or --all")
    if options.write and not (options.all and options.split == "test"):
        raise ValueError("--write needs --all and the test split, so that the READMEs hold every network's figures")
    look = Look(options.analysis_size, options.best_quality, options.refine_edges)
    if options.write and look != Look():
        raise ValueError("--write takes each network as the page starts with it: leave the other options out")
    if options.write:
        write_sums(catalog.CHECKPOINTS)  # first, since what is measured must load
    names = list(catalog.BUNDLED) if options.all else options.networks
    for name in names:
        if catalog.find(name).metadata.classes != CLASSES:
            raise ValueError(f"{name} has other classes than the dataset ({', '.join(CLASSES)})")
    measured: dict[str, dict] = {}
    for name in names:
        if name not in measured:  # as another output of a network before it
            segmenter = Segmenter.load(name, options.device)
            measured |= measure(segmenter, options.data, options.split, look, options.download)
    results = {name: measured[name] for name in names}
    table = report.results_table(results, options.split)
    if options.write:
        _write_readmes(table)
    print(json.dumps(results, indent=2) if options.json else table)
    return 0


def sums(options: argparse.Namespace) -> int:
    """Write the sha256 of the bundled checkpoints, to be done when one was trained anew."""
    print(write_sums(catalog.CHECKPOINTS))
    return 0


def _write_readmes(table: str) -> None:
    cards = catalog.CHECKPOINTS / "README.md"
    for readme in (cards, catalog.CHECKPOINTS.parent / "README.md"):
        report.write_table(readme, table)
    for entry in catalog.BUNDLED.values():
        report.write_card(cards, entry.checkpoint, report.card(entry.metadata, entry.path))


def _describe(entry: catalog.Entry) -> dict[str, object]:
    row = {
        "title": entry.title,
        "story": entry.story,
        "checkpoint": entry.file,
        "present": entry.is_present,
        "classes": [],
    }
    try:
        metadata = entry.metadata
    except CheckpointError as error:
        return {**row, "problem": str(error)}
    return {**row, "classes": list(metadata.classes), "analysis_size": metadata.analysis_size}


def bench(options: argparse.Namespace) -> int:
    """Measure speed and memory: passes, requests, many clients, large photos."""
    found = measure_speed(tuple(options.figures) or FIGURES, options.device, options.quick, options.data)
    print(json.dumps(found, indent=2) if options.json else as_text(found))
    return 0
