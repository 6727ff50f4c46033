"""A recipe: everything that a training run is made with, besides the photos."""

from dataclasses import dataclass, field, replace
from typing import Any

from segdemo.training.datasets import DataSet


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of a training run: one rise and fall of the learning rate, with a fresh optimizer.

    Attributes:
        steps: Batches.
        image_size: Side of the square crops that the network sees, pixels.
        other_sizes: Sides that some batches have instead, each as often as `image_size`: a network that has seen one
            size alone is worse at all others.
        batch_size: Crops a step.
        peak_rate: The one-cycle schedule's highest learning rate, of all but the backbone.
        backbone_share: The backbone's rate as a share of that.
        warmup: Share of the steps in which the rate rises.
        frozen: Parts of the network, by the first words of their parameters' names, that keep their weights and their
            BatchNorm statistics.
        area: Of the crop as a share of the photo's, lowest and highest.
        aspect: Width by height of the crop before it becomes a square, lowest and highest.
        distant: Share of the photos that are shown from further away, with other photos round them.
        zoom_out: How many times as far at most.
        beside: Share of the photos that are cut to a strip beside their objects: image labels alone do not tell a
            classifier that the grass round a pet is background.
        pasted: Share of the photos with an object of which only that is shown, before another photo.
        structures: Share of the photos over which towers are drawn.
        balanced: Draw each object class of a data set equally often: of the pets two thirds are dogs.
        class_weights: In the loss, in place of the recipe's.
        taught: `classify` only: learn from the teacher, its features and not yet the labels, or its scores beside them.
    """

    steps: int
    image_size: int
    other_sizes: tuple[int, ...] = ()
    batch_size: int = 16
    peak_rate: float = 1e-3
    backbone_share: float = 0.1
    warmup: float = 0.15
    frozen: tuple[str, ...] = ("stages.0.", "stages.1.")
    area: tuple[float, float] = (0.35, 1.0)
    aspect: tuple[float, float] = (0.65, 1.54)
    distant: float = 0.0
    zoom_out: float = 2.5
    beside: float = 0.0
    pasted: float = 0.0
    structures: float = 0.0
    balanced: bool = False
    taught: bool = False
    class_weights: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set that a recipe learns from.

    Attributes:
        name: As `datasets.open_dataset` takes it.
        share: How many of all crops come from it, beside the other sources' shares.
        words: The network's name for a class, where the data set has another; `ignore` leaves it out.
    """

    name: str
    share: float = 1.0
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one training run.

    Attributes:
        name: Of the recipe and of the checkpoint that it makes.
        task: `segment` learns from labels for each pixel, `classify` from one label for each image.
        architecture: A key of `segdemo.models.ARCHITECTURES`, what the checkpoint holds.
        arguments: What its builder takes, beside the number of classes.
        classes: Names, by index.
        colours: `#rrggbb`, by index.
        sources: What it learns from.
        phases: One after the other, each going on from the running weights.
        analysis_size: Longer side at which the trained network sees a photo, pixels.
        weight_decay: AdamW's.
        average: Decay, a step, of the running average of the weights, which is what is saved.
        class_weights: In the loss, by class.
    """

    name: str
    task: str
    architecture: str
    arguments: dict[str, Any]
    classes: tuple[str, ...]
    colours: tuple[str, ...]
    sources: tuple[Source, ...]
    phases: tuple[Phase, ...]
    analysis_size: int
    weight_decay: float = 0.01
    average: float = 0.99
    class_weights: tuple[float, ...] = ()
    label_smoothing: float = 0.03
    dropout: float = 0.1

    @property
    def steps(self) -> int:
        """Batches of all phases together."""
        return sum(phase.steps for phase in self.phases)

    def phase_at(self, step: int) -> tuple[int, int]:
        """Find the phase of a step, counted from 0: its index, and that phase's first step.

        Raises:
            ValueError: The recipe has fewer steps.
        """
        first = 0
        for index, phase in enumerate(self.phases):
            if step < first + phase.steps:
                return index, first
            first += phase.steps
        raise ValueError(f"recipe {self.name} has {self.steps} steps, no step {step + 1}")

    def for_own(self, dataset: DataSet, steps: int | None = None) -> "Recipe":
        """Adapt the recipe to training photos of one's own: their classes, and fewer steps where they are fewer.

        `steps` are of each phase; by default thirty passes over the photos, but no more than the recipe has.
        """
        wanted = [steps or min(p.steps, -(-30 * len(dataset) // p.batch_size)) for p in self.phases]
        return replace(
            self,
            name=dataset.name,
            classes=dataset.classes,
            colours=dataset.colours,
            sources=(Source(name=dataset.name),),
            phases=tuple(
                replace(p, steps=n, structures=0.0, class_weights=()) for p, n in zip(self.phases, wanted, strict=True)
            ),
            class_weights=(),
        )
