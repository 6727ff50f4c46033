"""The training loop: one-cycle AdamW with an average of the weights, saved every epoch, resumable.

Accelerate carries it to a GPU, to mixed precision and to several processes: every process draws and augments the same
batch and keeps its share of it, so that the step is that of one process whatever their number.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from math import ceil, cos, pi
from pathlib import Path

import torch
import torchvision
from accelerate import Accelerator
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from segdemo.checkpoints import Metadata, save
from segdemo.training.curves import draw_curves
from segdemo.training.data import CLASSES, Pets
from segdemo.training.log import append_row
from segdemo.training.negatives import Negatives
from segdemo.training.recipes import Phase, Recipe
from segdemo.training.start import IMAGENET, RANDOM, torchvision_weights, transfer
from segdemo.training.state import load_header, load_state, optimizer_tensors, restore_optimizer, save_state
from segdemo.training.tasks import MEAN, STD, TASKS, AllOutputs
from segdemo.training.validate import validate_outputs

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


def mixed_precision(device: str) -> str:
    """Choose the number format of the training passes: bfloat16 on a CUDA card that has it, float16 on an older one."""
    if not device.startswith("cuda"):
        return "no"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


@dataclass
class Progress:
    """How far a run is."""

    epoch: int = 0
    minutes: float = 0.0


class Trainer:
    """A run in a folder: `log.csv` and its `curves.png`, `state.safetensors` to resume from, and the checkpoint.

    Args:
        recipe: What to do.
        folder: Where the run lives.
        seed: Of the weights, the order and the augmentation.
        init: `random`, `imagenet` (torchvision's weights for the backbone), or the path of a checkpoint.
        from_phase: The recipe's phase to begin with, counted from 1; the checkpoint given stands for those before it.
        device: `cpu`, `cuda` or `mps`.
        negatives: Pictures without a pet beside the dataset.

    Raises:
        ValueError: The recipe has no such phase, or the checkpoint does not fit.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        *,
        seed: int = 0,
        init: str = RANDOM,
        from_phase: int = 1,
        device: str = "cpu",
        negatives: Negatives | None = None,
    ) -> None:
        if not 1 <= from_phase <= len(recipe.phases):
            raise ValueError(f"recipe {recipe.name} has {len(recipe.phases)} phases, no phase {from_phase}")
        torch.manual_seed(seed)
        self.recipe, self.folder, self.seed, self.from_phase = recipe, folder, seed, from_phase
        self.accelerator = Accelerator(cpu=device == "cpu", mixed_precision=mixed_precision(device))
        if negatives is not None:
            negatives = negatives.to(self.accelerator.device)
        self.task = TASKS[recipe.task](recipe, torchvision_weights(init), negatives)
        self.start = init if init in (RANDOM, IMAGENET) else transfer(self.task, Path(init))
        network = self.task.network.to(self.accelerator.device, memory_format=torch.channels_last)
        self.average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True)
        self.progress = Progress(sum(phase.epochs for phase in recipe.phases[: from_phase - 1]))
        self._enter(recipe.phases[from_phase - 1])

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
        settings = {"seed": self.seed, "start": self.start, "from_phase": self.from_phase, "dataset": self._dataset}
        return {"recipe": asdict(self.recipe), **settings}

    @property
    def _dataset(self) -> str:
        others = f"; {self.task.negatives.describe()}" if self.task.negatives is not None else ""
        return f"Oxford-IIIT Pet, trainval{others}"

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
            index, first = self.recipe.phase_at(self.progress.epoch)
            phase = self.recipe.phases[index]
            if self.progress.epoch == first:
                self._enter(phase)
            loss = self._epoch(training, phase, first)
            self.progress.epoch += 1
            self.progress.minutes += (time.monotonic() - epoch_start) / 60
            if self.accelerator.is_main_process:
                self._keep(loss, held_out, index + 1)
            self.accelerator.wait_for_everyone()
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
            raise ValueError(
                f"{self._state} belongs to another recipe, --seed, --init or --negatives: choose another --out"
            )
        self.progress = Progress(**header["progress"])
        parts = load_state(self._state)
        self.task.network.load_state_dict(parts["network"])
        self.average.load_state_dict(parts["average"])
        if self.progress.epoch < self.recipe.epochs:
            index, first = self.recipe.phase_at(self.progress.epoch)
            self._enter(self.recipe.phases[index])
            if self.progress.epoch > first:
                restore_optimizer(self.optimizer, parts.get("optimizer", {}))
        return True

    def _enter(self, phase: Phase) -> None:
        network = self.task.network
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not name.startswith(phase.frozen))
        optimizer = torch.optim.AdamW(_decay_groups(network, self.recipe.weight_decay))
        model = AllOutputs(network)
        if self.accelerator.num_processes > 1 and self.accelerator.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)

    def _train_mode(self, phase: Phase) -> None:
        self.model.train()
        for name, module in self.task.network.named_modules():
            if f"{name}.".startswith(phase.frozen):
                module.eval()  # BatchNorm's statistics are frozen with the weights

    def _epoch(self, training: Pets, phase: Phase, first: int) -> float:
        self._train_mode(phase)
        batches = torch.randperm(len(training)).tensor_split(ceil(len(training) / self.recipe.batch_size))
        total = 0.0
        title = f"epoch {self.progress.epoch + 1}/{self.recipe.epochs}"
        hidden = not self.accelerator.is_main_process
        bar = tqdm(batches, desc=title, file=sys.stderr, mininterval=5, disable=hidden)
        for step, rows in enumerate(bar):
            done = (self.progress.epoch - first + step / len(batches)) / phase.epochs
            for group in self.optimizer.param_groups:
                group["lr"] = one_cycle(done, phase.peak_rate, phase.warmup)
            total += self._step(training[rows], phase)
            bar.set_postfix(loss=f"{total / (step + 1):.3f}")
        return total / len(batches)

    def _step(self, batch: Pets, phase: Phase) -> float:
        accelerator = self.accelerator
        images, targets = self.task.augment(batch.to(accelerator.device), phase)
        share = slice(accelerator.process_index, None, accelerator.num_processes)
        # Dropout draws from a copy, so that the processes' random numbers stay in step.
        with torch.random.fork_rng(devices=[]):
            total, weight = self.task.loss(self.model(images[share]), targets[share])
        loss = total / accelerator.reduce(weight, "mean")
        self.optimizer.zero_grad()
        accelerator.backward(loss)
        self.optimizer.step()
        self.average.update_parameters(self.task.network)
        return accelerator.reduce(loss.detach(), "mean").item()

    def _keep(self, loss: float, held_out: Pets, phase: int) -> None:
        network = self.task.export(self.average.module)
        figures = validate_outputs(network, self.recipe.name, held_out, self.recipe.analysis_size)
        row = {"phase": phase, "epoch": self.progress.epoch, "minutes": round(self.progress.minutes, 2)}
        row["loss"] = round(loss, 4)
        for name, values in figures.items():
            row |= {f"{name}_{k}": round(v, 4) for k, v in values.items() if isinstance(v, float)}
        append_row(self.folder / "log.csv", row)
        draw_curves(self.folder / "log.csv", self.folder / "curves.png")
        save(self.checkpoint, network, self._metadata(figures))
        parts = {"network": self.task.network.state_dict(), "average": self.average.state_dict()}
        parts["optimizer"] = optimizer_tensors(self.optimizer)
        save_state(self._state, parts, {**self._settings, "progress": asdict(self.progress)})
        tqdm.write("  ".join(f"{k} {v}" for k, v in row.items()), file=sys.stderr)

    def _metadata(self, figures: dict[str, object]) -> Metadata:
        recipe = self.recipe
        return Metadata(
            architecture=recipe.architecture,
            arguments=recipe.arguments,
            classes=CLASSES,
            colours=COLOURS,
            mean=MEAN,
            std=STD,
            analysis_size=recipe.analysis_size,
            dataset=self._dataset,
            recipe=asdict(recipe) | {"start": self.start},
            seed=self.seed,
            epochs=self.progress.epoch,
            minutes=round(self.progress.minutes, 1),
            metrics=figures,
            versions={"torch": torch.__version__, "torchvision": torchvision.__version__},
        )


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Biases and BatchNorm's scales are not decayed: pulling them to zero would only bias the network."""
    learning = [p for p in network.parameters() if p.requires_grad]
    matrices = [p for p in learning if p.ndim > 1]
    vectors = [p for p in learning if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _as_json(value: object) -> object:
    return json.loads(json.dumps(value))
