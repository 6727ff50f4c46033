"""The training loop: one-cycle AdamW with an average of the weights, saved as it goes, resumable."""

import json
import sys
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchvision.transforms.v2 import functional as T
from tqdm import tqdm

from segdemo.checkpoints import save
from segdemo.devices import channels_last, prefers_bfloat16
from segdemo.metadata import Metadata
from segdemo.models import SegmentationNetwork
from segdemo.segmenter import Segmenter
from segdemo.training.curves import draw_curves
from segdemo.training.datasets import DataSet
from segdemo.training.evaluate import evaluate
from segdemo.training.log import append_row
from segdemo.training.photos import Photos
from segdemo.training.recipe import Phase, Recipe
from segdemo.training.start import (
    IMAGENET,
    MEAN,
    RANDOM,
    STD,
    fill_backbone,
    fill_from_torchvision,
    holds,
    is_checkpoint,
    starting_layers,
    starting_terms,
    transfer,
    with_batch_norm,
)
from segdemo.training.state import load_header, load_state, optimizer_tensors, restore_optimizer, save_state
from segdemo.training.tasks import TASKS, ClassifyTask, normalise

_MEASURED_ON = 32  # photos for RMS and BatchNorm's statistics
_BATCHES = 64  # of so many, for a teacher's Linear layer
_IMITATED_ON = 384  # photos for the fit of a student's stages, whose last has 81 cells a photo


def one_cycle(progress: float, peak: float, warmup: float) -> float:
    """Give the learning rate at a share of all steps: a straight rise, then half a cosine from its peak down to zero.

    Source of the idea: Smith, Topin, "Super-Convergence", 2019.
    """
    if progress < warmup:
        return peak * (0.04 + 0.96 * progress / warmup)
    return peak * (1 + cos(pi * (progress - warmup) / (1 - warmup))) / 2


@dataclass
class Progress:
    """How far a run is."""

    step: int = 0
    minutes: float = 0.0


class Trainer:
    """A run in a folder: `log.csv` and its `curves.png`, `state.safetensors` to resume from, and the checkpoint.

    Args:
        training: Data sets to learn from, one for each of the recipe's sources, labels in the recipe's classes.
        held_out: Data sets to measure on, in classes of their own.
        seed: Of the weights, the order and the changes.
        init: `random`, `imagenet`, a file of VGG16's features, or a checkpoint.
        device: `cpu`, `cuda` or `mps`.

    Raises:
        DataError: A photo or mask is not as it should be.
        StartError: There is nothing to start from.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        training: Sequence[DataSet],
        held_out: Sequence[DataSet] = (),
        *,
        seed: int = 0,
        init: str = RANDOM,
        device: str = "cpu",
    ) -> None:
        torch.manual_seed(seed)
        self.recipe, self.folder, self.seed, self.held_out = recipe, folder, seed, held_out
        self.device = torch.device(device)
        self.datasets = training
        self.photos = Photos(training, [source.share for source in recipe.sources])
        self.task = TASKS[recipe.task](recipe)
        self.start = self._start(init)
        self.network = channels_last(self.task.network, self.device)
        self.average = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True)
        self.progress = Progress()
        self._enter(recipe.phases[0])

    @property
    def checkpoint(self) -> Path:
        """Where the network of the averaged weights is written."""
        return self.folder / f"{self.recipe.name}.safetensors"

    @property
    def has_state(self) -> bool:
        """Whether the folder holds a run already."""
        return self._state.exists()

    @property
    def _state(self) -> Path:
        return self.folder / "state.safetensors"

    @property
    def _settings(self) -> dict[str, object]:
        return {"recipe": asdict(self.recipe), "seed": self.seed, "start": self.start}

    def _start(self, init: str) -> str:
        network, backbone = self.task.network, str(self.recipe.arguments["backbone"])
        if init == RANDOM:
            return RANDOM
        if init != IMAGENET and is_checkpoint(Path(init)) and holds(Path(init), self.recipe.architecture):
            return transfer(network, Path(init))
        if isinstance(self.task, ClassifyTask) and init == IMAGENET:
            return fill_from_torchvision(self.task.network, backbone)
        images = self._some_photos()
        layers, told = starting_layers(init, images)
        if isinstance(self.task, ClassifyTask) and backbone.startswith("resnet"):
            phase = self.recipe.phases[0]
            batches = (self.task.batch(self.photos.draw(_MEASURED_ON, phase.balanced), phase) for _ in range(_BATCHES))
            self.task.learn_scores(layers, batches)
            return f"random weights, taught by {told}"
        if isinstance(self.task, ClassifyTask):
            self.task.learn_stages(layers, self._some_photos(_IMITATED_ON))
            return f"stages fitted to a VGG16's, taught by {told}"
        fill_backbone(network, with_batch_norm(layers, images) if backbone.endswith("_bn") else layers)
        return told

    def _some_photos(self, count: int = _MEASURED_ON) -> Tensor:
        size = self.recipe.phases[0].image_size
        photos = [T.resize(photo, [size, size], antialias=True) for photo, _ in self.photos.draw(count)]
        return normalise(torch.stack(photos).float() / 255)

    def fit(self, max_minutes: float = float("inf"), save_every: int = 100) -> None:
        """Train until the recipe's last step, or until this call's minutes are over.

        `save_every` is the steps from one row of the log, with state and checkpoint, to the next.
        """
        start = time.monotonic()
        while self.progress.step < self.recipe.steps:
            begun = time.monotonic()
            index, first = self.recipe.phase_at(self.progress.step)
            phase = self.recipe.phases[index]
            if self.progress.step == first:
                self._enter(phase)
            count = min(save_every, first + phase.steps - self.progress.step)
            loss = self._steps(count, phase, first)
            self.progress.step += count
            self.progress.minutes += (time.monotonic() - begun) / 60
            self._keep(loss, index + 1)
            if time.monotonic() - start >= max_minutes * 60:
                break

    def resume(self) -> bool:
        """Go on where the folder's state stands; says whether there was one.

        Raises:
            ValueError: The state is of another recipe, seed or start.
        """
        if not self.has_state:
            return False
        header = load_header(self._state)
        if {key: header.get(key) for key in self._settings} != _as_json(self._settings):
            raise ValueError(f"{self._state} belongs to another recipe, --seed or --init: choose another --out")
        self.progress = Progress(**header["progress"])
        parts = load_state(self._state)
        self.network.load_state_dict(parts["network"])
        self.average.load_state_dict(parts["average"])
        if self.progress.step < self.recipe.steps:
            index, first = self.recipe.phase_at(self.progress.step)
            self._enter(self.recipe.phases[index])
            if self.progress.step > first:
                restore_optimizer(self.optimizer, parts.get("optimizer", {}))
        return True

    def _enter(self, phase: Phase) -> None:
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(not name.startswith(phase.frozen))
        groups = _groups(self.network, self.recipe.weight_decay, phase.backbone_share)
        self.optimizer = torch.optim.AdamW(groups)

    def _train_mode(self, phase: Phase) -> None:
        self.network.train()
        for name, module in self.network.named_modules():
            if f"{name}.".startswith(phase.frozen):
                module.eval()  # BatchNorm's statistics are frozen with the weights

    def _steps(self, count: int, phase: Phase, first: int) -> float:
        self._train_mode(phase)
        total = 0.0
        title = f"{self.recipe.name}, {self.progress.step} of {self.recipe.steps}"
        for step in (bar := tqdm(range(count), desc=title, file=sys.stderr, mininterval=5)):
            done = (self.progress.step - first + step) / phase.steps
            for group in self.optimizer.param_groups:
                group["lr"] = group["share"] * one_cycle(done, phase.peak_rate, phase.warmup)
            total += self._step(phase)
            bar.set_postfix(loss=f"{total / (step + 1):.3f}")
        return total / count

    def _step(self, phase: Phase) -> float:
        images, targets = self.task.batch(self.photos.draw(phase.batch_size, phase.balanced), phase)
        images = images.to(self.device, memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=prefers_bfloat16(self.device)):
            loss = self.task.loss(images, targets.to(self.device), phase)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        return loss.item()

    def _keep(self, loss: float, phase: int) -> None:
        network = self.task.export(self.average.module)
        figures = self._measure(network)
        row: dict[str, float] = {"phase": phase, "step": self.progress.step}
        row |= {"minutes": round(self.progress.minutes, 2), "loss": round(loss, 4)}
        for name, values in figures.items():
            row |= {f"{name}_{k}": round(v, 4) for k, v in values.items() if isinstance(v, float)}
        append_row(self.folder / "log.csv", row)
        draw_curves(self.folder / "log.csv", self.folder / "curves.png")
        save(self.checkpoint, network, self._metadata(figures))
        parts = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        parts["optimizer"] = optimizer_tensors(self.optimizer)
        save_state(self._state, parts, {**self._settings, "progress": asdict(self.progress)})
        tqdm.write("  ".join(f"{k} {v}" for k, v in row.items()), file=sys.stderr)

    def _measure(self, network: SegmentationNetwork) -> dict[str, dict[str, Any]]:
        """Measure on the held-out photos, by data set, as a visitor would get it."""
        segmenter = Segmenter(self.recipe.name, deepcopy(network).eval(), self._metadata({}), self.device)
        return {each.name: evaluate(segmenter, each)[self.recipe.name] for each in self.held_out if len(each)}

    def _metadata(self, figures: dict[str, Any]) -> Metadata:
        recipe = self.recipe
        terms = dict.fromkeys(starting_terms(self.start))
        terms |= dict.fromkeys(f"{each.title}: {each.terms}" for each in self.datasets)
        return Metadata(
            architecture=recipe.architecture,
            arguments={**recipe.arguments, "num_classes": len(recipe.classes)},
            classes=recipe.classes,
            colours=recipe.colours,
            mean=MEAN,
            std=STD,
            analysis_size=recipe.analysis_size,
            dataset=", ".join(each.title for each in self.datasets),
            recipe=asdict(recipe) | {"start": self.start},
            licence="see terms",
            terms="; ".join(terms),
            seed=self.seed,
            epochs=self.progress.step,
            minutes=round(self.progress.minutes, 1),
            metrics=figures,
            versions={"torch": torch.__version__, "torchvision": torchvision.__version__},
            has_background=recipe.classes[0] == "background",
        )


def _groups(network: nn.Module, weight_decay: float, backbone_share: float) -> list[dict[str, Any]]:
    """Part what learns by rate and decay: biases and BatchNorm's scales are not decayed, which would only bias them."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            share = backbone_share if name.startswith(("stages.", "backbone.")) else 1.0
            groups.setdefault((share, weight_decay if parameter.ndim > 1 else 0.0), []).append(parameter)
    return [{"params": found, "share": share, "weight_decay": decay} for (share, decay), found in groups.items()]


def _as_json(value: object) -> object:
    return json.loads(json.dumps(value))
