"""The training loop: one-cycle AdamW with an average of the weights, saved every epoch, resumable."""

import csv
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from segdemo.checkpoints import Metadata, save
from segdemo.models import SegmentationNetwork
from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.models.fcn import FCN
from segdemo.training.data import CLASSES, Pets
from segdemo.training.metrics import confusion_matrix, summarise
from segdemo.training.recipes import Recipe
from segdemo.training.tasks import MEAN, STD, TASKS, normalise

# Okabe and Ito's colour-blind-safe palette: bluish green stays free for the lessons.
COLOURS = ("#000000", "#e69f00", "#56b4e9")


def one_cycle(progress: float, peak: float, warmup: float) -> float:
    """Give the learning rate: a straight rise, then half a cosine down to zero.

    Source of the idea: Smith, Topin, "Super-Convergence", 2019.

    Args:
        progress: Share of all steps that are done, 0 to 1.
        peak: The highest rate.
        warmup: Share of the steps in which it rises.
    """
    if progress < warmup:
        return peak * (0.04 + 0.96 * progress / warmup)
    return peak * (1 + cos(pi * (progress - warmup) / (1 - warmup))) / 2


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network in `eval` mode without gradients, and back in the mode it was in."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        network.train(was_training)


def validate(network: SegmentationNetwork, pets: Pets, size: int, batch_size: int = 32) -> dict[str, object]:
    """Measure a network on photos in memory, at their labels' resolution.

    Args:
        network: Any segmentation network.
        pets: The photos.
        size: Side at which the network sees them, pixels.
        batch_size: Photos at a time.

    Returns:
        What `metrics.summarise` gives; for a classifier's twin also `image_accuracy`, cat against dog.
    """
    confusion = torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)
    correct = 0
    device = next(network.parameters()).device
    with evaluating(network):
        for rows in torch.arange(len(pets)).split(batch_size):
            batch = pets[rows]
            images = F.interpolate(batch.images.float() / 255, (size, size), mode="bilinear", antialias=True)
            images = normalise(images).to(device)
            scores = F.interpolate(network(images), batch.labels.shape[-2:], mode="bilinear")
            confusion += confusion_matrix(scores.argmax(1).cpu(), batch.labels, len(CLASSES))
            if isinstance(network, Conv1x1Segmenter):
                animal = network.classify(images)[:, 1:].argmax(1).cpu() + 1
                correct += (animal == batch.species).sum().item()
    figures = summarise(confusion, CLASSES)
    return (
        {**figures, "image_accuracy": correct / max(len(pets), 1)} if isinstance(network, Conv1x1Segmenter) else figures
    )


@dataclass
class Progress:
    """How far a run is."""

    epoch: int = 0
    minutes: float = 0.0


class Trainer:
    """A training run in a folder: `log.csv`, `state.safetensors` to resume from, and the checkpoint itself.

    Args:
        recipe: What to do.
        folder: Where the run lives.
        seed: Of the weights, the order and the augmentation.
        weights: torchvision weights to start the backbone from, or None for random ones.
        device: Where to compute.
    """

    def __init__(
        self, recipe: Recipe, folder: Path, seed: int = 0, weights: str | None = None, device: str = "cpu"
    ) -> None:
        torch.manual_seed(seed)
        self.recipe, self.folder, self.seed, self.weights, self.device = recipe, folder, seed, weights, device
        self.task = TASKS[recipe.task](recipe, weights)
        network = self.task.network.to(device, memory_format=torch.channels_last)
        self.average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True)
        self.optimizer = torch.optim.AdamW(_decay_groups(network, recipe.weight_decay))
        self.progress = Progress()

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

    def fit(self, training: Pets, held_out: Pets, max_minutes: float = float("inf")) -> None:
        """Train until the recipe's last epoch, or to the end of the epoch in which the minutes are over.

        Args:
            training: Photos to learn from.
            held_out: Photos to measure on after each epoch.
            max_minutes: Of this call.
        """
        start = time.monotonic()
        while self.progress.epoch < self.recipe.epochs:
            epoch_start = time.monotonic()
            loss = self._epoch(training)
            self.progress.epoch += 1
            self.progress.minutes += (time.monotonic() - epoch_start) / 60
            figures = self._measure(held_out)
            self._save(figures)
            self._log(loss, figures)
            if time.monotonic() - start >= max_minutes * 60:
                break

    def resume(self) -> bool:
        """Go on where the folder's state stands; says whether there was one.

        Raises:
            ValueError: The state is of another recipe, seed or start.
        """
        if not self.has_state:
            return False
        with safe_open(self._state, "pt") as file:
            header = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        settings = {"recipe": asdict(self.recipe), "seed": self.seed, "weights": self.weights}
        if {key: header[key] for key in settings} != json.loads(json.dumps(settings)):
            raise ValueError(f"{self._state} belongs to another recipe, --seed or --init: choose another --out")
        self.task.network.load_state_dict(_under("network.", tensors))
        self.average.load_state_dict(_under("average.", tensors))
        self._restore_optimizer(_under("optimizer.", tensors))
        torch.set_rng_state(tensors["rng"])
        self.progress = Progress(**header["progress"])
        return True

    def _epoch(self, training: Pets) -> float:
        network, recipe = self.task.network.train(), self.recipe
        batches = torch.randperm(len(training)).split(recipe.batch_size)
        total = 0.0
        bar = tqdm(batches, desc=f"epoch {self.progress.epoch + 1}/{recipe.epochs}", file=sys.stderr, mininterval=5)
        for step, rows in enumerate(bar):
            done = (self.progress.epoch + step / len(batches)) / recipe.epochs
            for group in self.optimizer.param_groups:
                group["lr"] = one_cycle(done, recipe.peak_rate, recipe.warmup)
            batch = training[rows]
            loss = self.task.loss(Pets(*(part.to(self.device) for part in (batch.images, batch.labels, batch.species))))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.average.update_parameters(network)
            total += loss.item()
            bar.set_postfix(loss=f"{total / (step + 1):.3f}")
        return total / len(batches)

    def _measure(self, held_out: Pets) -> dict[str, object]:
        network = self.task.export(self.average.module)
        if not isinstance(network, FCN):
            return {self.recipe.name: validate(network, held_out, self.recipe.analysis_size)}
        figures = {}
        chosen = network.stride
        for stride in (32, 16, 8):
            network.stride = stride
            figures[f"fcn{stride}s"] = validate(network, held_out, self.recipe.analysis_size)
        network.stride = chosen
        return figures

    def _log(self, loss: float, figures: dict[str, dict]) -> None:
        row = {"epoch": self.progress.epoch, "minutes": round(self.progress.minutes, 2), "loss": round(loss, 4)}
        for name, values in figures.items():
            row |= {f"{name}_{k}": round(v, 4) for k, v in values.items() if isinstance(v, float)}
        path = self.folder / "log.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.progress.epoch == 1
        with path.open("w" if fresh else "a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row)
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        tqdm.write("  ".join(f"{k} {v}" for k, v in row.items()), file=sys.stderr)

    def _save(self, figures: dict[str, object]) -> None:
        recipe = self.recipe
        metadata = Metadata(
            architecture=recipe.architecture,
            arguments=recipe.arguments,
            classes=CLASSES,
            colours=COLOURS,
            mean=MEAN,
            std=STD,
            analysis_size=recipe.analysis_size,
            dataset="Oxford-IIIT Pet, trainval",
            recipe=asdict(recipe) | {"start": self.weights or "random"},
            seed=self.seed,
            epochs=self.progress.epoch,
            minutes=round(self.progress.minutes, 1),
            metrics=figures,
            versions={"torch": torch.__version__, "torchvision": torchvision.__version__},
        )
        save(self.checkpoint, self.task.export(self.average.module), metadata)
        tensors = {f"network.{k}": v for k, v in self.task.network.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{k}": v for k, v in state.items()}
        tensors["rng"] = torch.get_rng_state()
        settings = {"recipe": asdict(recipe), "seed": self.seed, "weights": self.weights}
        header = json.dumps({**settings, "progress": asdict(self.progress)})
        partial = self.folder / "state.partial"
        save_file({k: v.contiguous() for k, v in tensors.items()}, partial, {"state": header})
        partial.replace(self._state)

    def _restore_optimizer(self, tensors: dict[str, Tensor]) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            index, key = name.split(".")
            state.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]})


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Biases and BatchNorm's scales are not decayed: pulling them to zero would only bias the network."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
