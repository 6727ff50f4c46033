"""The subcommands `train` and `evaluate`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from segdemo import catalog, entries
from segdemo.checkpoints import load_metadata
from segdemo.checksums import write_sums
from segdemo.devices import choose_device
from segdemo.safe_files import write_bytes
from segdemo.segmenter import Segmenter
from segdemo.training import report
from segdemo.training.datasets import DataSet, is_own, learned_from, open_dataset
from segdemo.training.evaluate import evaluate as measure
from segdemo.training.loop import Trainer
from segdemo.training.recipe import Recipe
from segdemo.training.recipes import RECIPES
from segdemo.training.run_folder import check_space, prepare

_HELD_OUT = "held-out"


def train(options: argparse.Namespace) -> int:
    """Train a network by its recipe, on the known data sets or on a folder of your own."""
    if options.recipe not in RECIPES:
        raise ValueError(f"there is no recipe {options.recipe!r}: choose from {', '.join(RECIPES)}")
    recipe, training, held_out = _prepare(RECIPES[options.recipe], options)
    folder, finished = options.out / recipe.name, entries.OWN / f"{recipe.name}.safetensors"
    has_state = (folder / "state.safetensors").exists()
    if has_state and not options.resume:
        raise ValueError(f"{folder} holds a run: go on with --resume, or choose another folder with --out")
    if is_own(options.data) and finished.exists() and not has_state:
        raise ValueError(f"{finished} is there already: move it away, or rename the folder {options.data}")
    device = str(choose_device(options.device))
    trainer = Trainer(recipe, folder, training, held_out, seed=options.seed, init=options.init, device=device)
    # Only now, so that bad input makes no folder.
    writes = ("state.safetensors", "log.csv", "curves.png", f"{recipe.name}.safetensors")
    prepare(folder, writes, options.resume, [Path(options.init)])
    if is_own(options.data):
        prepare(finished.parent, (), resume=True)
    check_space(folder, trainer.task.network)
    if options.resume and not trainer.resume():
        print(f"nothing to resume in {folder}: starting afresh", file=sys.stderr)
    trainer.fit(options.max_minutes)
    done = trainer.progress.step == recipe.steps
    rest = "" if done else ", go on with --resume"
    print(f"{trainer.checkpoint}: {trainer.progress.step} of {recipe.steps} steps{rest}")
    if done and is_own(options.data):
        write_bytes(finished, trainer.checkpoint.read_bytes())
        print(f"{finished}: `predict`, `evaluate` and the page know it as {recipe.name}")
    return 0


def _prepare(recipe: Recipe, options: argparse.Namespace) -> tuple[Recipe, list[DataSet], list[DataSet]]:
    """Open what a recipe learns from and what it is measured on; a folder of one's own takes the recipe's place."""
    if is_own(options.data):
        recipe = recipe.for_own(open_dataset(options.data, None, "train"), options.steps)
    training = [
        open_dataset(options.data, source.name, "train", options.download).translated(recipe.classes, source.words)
        for source in recipe.sources
    ]
    held_out = [open_dataset(options.data, source.name, _HELD_OUT) for source in recipe.sources if not source.words]
    return recipe, training, held_out


def evaluate(options: argparse.Namespace) -> int:
    """Measure networks on a labelled data set."""
    if not options.networks and not options.all:
        raise ValueError("name one or more networks, or --all")
    plain = (options.analysis_size, options.best_quality, options.refine_edges) == (None, False, False)
    if options.write and not (options.all and options.split == "test" and plain and not options.dataset):
        raise ValueError(
            "--write goes with --all and the test split alone, so that README holds every network's figures"
        )
    if options.write:
        write_sums(entries.CHECKPOINTS)  # first, since what is measured must load
    results: dict[str, dict[str, dict]] = {}  # by data set
    for name in list(catalog.BUNDLED) if options.all else options.networks:
        for dataset in _wanted(name, options):
            found = results.setdefault(dataset, {})
            if name not in found:  # as another output of a network before it
                found |= _measure(name, dataset, options)
    tables = [report.results_table(found, dataset, options.split) for dataset, found in results.items()]
    if options.write:
        _write_readmes("\n\n".join(tables))
    print(json.dumps(_flat(results, options), indent=2) if options.json else "\n\n".join(tables))
    return 0


def _wanted(name: str, options: argparse.Namespace) -> Sequence[str]:
    """Name the data sets to measure a network on: with --all those that it was trained on, else one."""
    if options.dataset or is_own(options.data):
        return (options.dataset or options.data.resolve().name,)
    known = learned_from(catalog.find(name).metadata)
    if not known:
        raise ValueError(f"{name} was trained on no data set that is known here: name one with --dataset")
    return known if options.all else known[:1]


def _measure(name: str, dataset: str, options: argparse.Namespace) -> dict[str, dict]:
    labelled = open_dataset(options.data, dataset, options.split, options.download)
    settings = options.analysis_size, options.best_quality, options.refine_edges
    return measure(Segmenter.load(name, options.device), labelled, *settings)


def _flat(results: dict[str, dict[str, dict]], options: argparse.Namespace) -> dict[str, object]:
    """Give figures by network, and where networks were measured on several data sets by these first."""
    if options.all and len(results) > 1:
        return dict(results)
    return {name: figures for found in results.values() for name, figures in found.items()}


def _write_readmes(tables: str) -> None:
    for readme in (entries.CHECKPOINTS / "README.md", entries.CHECKPOINTS.parent / "README.md"):
        report.write_table(readme, tables)
    for path in sorted(entries.CHECKPOINTS.glob("*.safetensors")):
        path.with_suffix(".md").write_text(report.card(load_metadata(path), path), encoding="utf-8")
