"""What a network learns from a batch: the class of every pixel, or one class for the whole image."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models import SegmentationNetwork, build
from segdemo.models.backbones import split_at_max_pools, without_last_pool
from segdemo.models.classifier import Classifier, Conv1x1Segmenter, resnet_classifier, vgg_classifier
from segdemo.models.convolutionize import convolutionize
from segdemo.training.augment import Labelled, make_batch, single_changes
from segdemo.training.datasets import IGNORE
from segdemo.training.distillation import fit_linear_, imitate_
from segdemo.training.recipe import Phase, Recipe
from segdemo.training.start import MEAN, STD

_Network = TypeVar("_Network", bound=nn.Module)


def normalise(images: Tensor) -> Tensor:
    """Bring photos of 0 to 1 to the range that the networks take: `[N, 3, H, W]`."""
    mean, std = (images.new_tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (images - mean) / std


class Task(ABC, Generic[_Network]):
    """One way to learn, by a recipe's settings."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.network = self.build()

    @abstractmethod
    def build(self) -> _Network:
        """Build the network that is trained."""

    @abstractmethod
    def outputs(self, images: Tensor) -> tuple[Tensor, ...]:
        """Run the network: scores `[N, C, ...]`, one or several that all learn."""

    @abstractmethod
    def targets(self, labels: Tensor) -> Tensor:
        """Turn labels int64 `[N, S, S]` into what the scores are compared with."""

    @abstractmethod
    def export(self, trained: _Network) -> SegmentationNetwork:
        """Turn the trained network into the one that segments, as the checkpoint holds it."""

    def batch(self, samples: Sequence[Labelled], phase: Phase) -> tuple[Tensor, Tensor]:
        """Make what the network sees, `[N, 3, S, S]`, and what it should say of it."""
        sides = (phase.image_size, *phase.other_sizes)
        side = sides[int(torch.randint(len(sides), ()))]
        images, labels = make_batch(samples, single_changes(phase, side), phase)
        return normalise(images), self.targets(labels)

    def loss(self, images: Tensor, targets: Tensor, phase: Phase) -> Tensor:
        """Run the network and compute the weighted, smoothed cross-entropy, averaged over its outputs.

        Images are normalised, `[N, 3, S, S]`; targets are those of `batch`, of which 255 is left out.
        """
        return self._cross_entropy(self.outputs(images), targets, phase)

    def _cross_entropy(self, outputs: Sequence[Tensor], targets: Tensor, phase: Phase) -> Tensor:
        weights = phase.class_weights or self.recipe.class_weights
        weight = torch.tensor(weights, device=targets.device) if weights else None
        loss = nn.CrossEntropyLoss(weight, ignore_index=IGNORE, label_smoothing=self.recipe.label_smoothing)
        return torch.stack([loss(scores.float(), targets) for scores in outputs]).mean()


class SegmentTask(Task[SegmentationNetwork]):
    """Learn the class of every pixel."""

    def build(self) -> SegmentationNetwork:
        """Build the network that the checkpoint will hold."""
        recipe = self.recipe
        arguments = {**recipe.arguments, "num_classes": len(recipe.classes), "dropout": recipe.dropout}
        return build(recipe.architecture, **arguments)

    def outputs(self, images: Tensor) -> tuple[Tensor, ...]:
        """Give the scores of every output: an FCN has three."""
        return tuple(self.network.forward_all(images).values())

    def targets(self, labels: Tensor) -> Tensor:
        """The labels are the targets."""
        return labels

    def export(self, trained: SegmentationNetwork) -> SegmentationNetwork:
        """The trained network is the one that segments."""
        return trained


class ClassifyTask(Task[Classifier]):
    """Learn one class for each image."""

    _stages: Sequence[nn.Module] = ()
    _teacher: nn.Sequential | None = None

    def learn_stages(self, layers: nn.Sequential, images: Tensor) -> None:
        """Take VGG16's layers as the teacher of a VGG's stages, in the phases that are taught.

        The backbone starts with stages that imitate the teacher's.
        Source: Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015.

        Args:
            layers: VGG16's.
            images: `[N, 3, H, W]`, normalised: photos to imitate it on.
        """
        self._stages = split_at_max_pools(without_last_pool(layers.eval().requires_grad_(False)))
        imitate_(split_at_max_pools(self.network.backbone), self._stages, images)

    @torch.no_grad()
    def learn_scores(self, layers: nn.Sequential, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Take VGG16's layers as the teacher of the scores of each cell, in the phases that are taught.

        They are the scores of a Linear layer behind its features, which is fitted to the labels.
        Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015.

        Args:
            layers: VGG16's, of stride 32 as the network.
            batches: Of `batch`, to fit the Linear layer on.
        """
        layers.eval().requires_grad_(False)
        features, targets = zip(*((layers(images).mean((2, 3)), each) for images, each in batches), strict=True)
        linear = nn.Linear(features[0].shape[1], len(self.recipe.classes))
        fit_linear_(linear, torch.cat(features), torch.cat(targets))
        self._teacher = nn.Sequential(*layers, convolutionize(linear))

    def loss(self, images: Tensor, targets: Tensor, phase: Phase) -> Tensor:
        """Compare with the teacher in a phase that is taught (stages, or scores and labels), else with labels."""
        if phase.taught and self._stages:
            return self._stage_loss(images)
        if phase.taught and self._teacher:
            return self._score_loss(images, targets, phase, self._teacher)
        return super().loss(images, targets, phase)

    def _stage_loss(self, images: Tensor) -> Tensor:
        errors, values, hint = [], images, images
        for ours, theirs in zip(split_at_max_pools(self.network.backbone), self._stages, strict=True):
            values = ours(values)
            with torch.no_grad():
                hint = theirs(hint)
            errors.append(F.mse_loss(values.float(), hint.float()) / hint.float().var())
        return torch.stack(errors).mean()

    def _score_loss(self, images: Tensor, targets: Tensor, phase: Phase, teacher: nn.Module) -> Tensor:
        features = self.network.features(images)
        with torch.no_grad():
            theirs = teacher(images).movedim(1, -1)
        ours = self.network.fc(features.movedim(1, -1))  # [N, h, w, C]
        answers = [(each.float() / _TEMPERATURE).log_softmax(-1).flatten(0, 2) for each in (ours, theirs)]
        told_apart = _TEMPERATURE**2 * F.kl_div(*answers, reduction="batchmean", log_target=True)
        return told_apart + self._cross_entropy((self.network.answer(features),), targets, phase)

    def build(self) -> Classifier:
        """Build the classifier whose Linear layer becomes the checkpoint's 1×1 conv."""
        recipe = self.recipe
        builder = {"conv1x1_vgg": vgg_classifier, "conv1x1_resnet": resnet_classifier}[recipe.architecture]
        return builder(**recipe.arguments, num_classes=len(recipe.classes), dropout=recipe.dropout)

    def outputs(self, images: Tensor) -> tuple[Tensor, ...]:
        """Give the logits of whole images."""
        return (self.network(images),)

    def targets(self, labels: Tensor) -> Tensor:
        """Name the class that an image shows: the largest that is no background, if it fills a part worth naming.

        An image of which less is filled says nothing, 255; one with none is background.
        """
        counts = torch.stack([(labels == c).sum((1, 2)) for c in range(1, len(self.recipe.classes))], 1)
        filled, best = counts.max(1)
        named = torch.where(filled >= _WORTH_NAMING * labels[0].numel(), best + 1, IGNORE)
        return torch.where(filled == 0, 0, named)

    def export(self, trained: Classifier) -> SegmentationNetwork:
        """Turn the Linear layer into a 1×1 conv."""
        return Conv1x1Segmenter(trained)


_WORTH_NAMING = 0.05  # of the image
_TEMPERATURE = 2.0  # of the probabilities that are compared
TASKS: dict[str, type[Task]] = {"segment": SegmentTask, "classify": ClassifyTask}
