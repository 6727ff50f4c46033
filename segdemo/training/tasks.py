"""What a network learns from a batch: the class of every pixel, or one class for the whole image."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models import SegmentationNetwork, build
from segdemo.models.backbones import split_at_max_pools, without_last_pool
from segdemo.models.classifier import Classifier, Conv1x1Segmenter, resnet_classifier, vgg_classifier
from segdemo.training.augment import Labelled, make_batch, single_changes
from segdemo.training.datasets import IGNORE
from segdemo.training.recipe import Phase, Recipe
from segdemo.training.start import MEAN, STD

_Network = TypeVar("_Network", bound=nn.Module)


def normalise(images: Tensor) -> Tensor:
    """Bring photos of 0 to 1 to the range that the networks take: `[N, 3, H, W]`."""
    mean, std = (images.new_tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (images - mean) / std


class Task(ABC, Generic[_Network]):
    """One way to learn.

    Args:
        recipe: Its settings.
    """

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

        Args:
            images: `[N, 3, S, S]`, normalised.
            targets: From `batch`; those of 255 are left out.
            phase: The phase of the recipe.
        """
        outputs = self.outputs(images)
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

    _teacher: Sequence[nn.Module] = ()

    def learn_from(self, layers: nn.Sequential) -> None:
        """Take VGG16's layers as the teacher of the phases that are taught.

        Where a stage has fewer channels than the teacher's, a 1×1 conv that is thrown away later lies between. A VGG11
        also starts from the first convs of each of the teacher's stages, which have its shapes.
        Source: Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015.
        """
        layers = layers.eval().requires_grad_(False)
        is_resnet = self.recipe.architecture == "conv1x1_resnet"
        # A ResNet's four stages have strides 4 to 32; a VGG11 without its last pooling has VGG16's without its last.
        teacher = split_at_max_pools(layers if is_resnet else without_last_pool(layers))
        self._teacher = [nn.Sequential(*teacher[:2]), *teacher[2:]] if is_resnet else teacher
        widths = [_channels(stage) for stage in self._stages()], [_channels(stage) for stage in self._teacher]
        self._adapters = nn.ModuleList(
            nn.Identity() if ours == theirs else nn.Conv2d(ours, theirs, 1)
            for ours, theirs in zip(*widths, strict=True)
        )
        self.network.adapters = self._adapters  # so that they are trained with it
        if not is_resnet:
            for ours, theirs in zip(self._stages(), self._teacher, strict=True):
                for conv, example in zip(_convs(ours), _convs(theirs), strict=False):
                    conv.load_state_dict(example.state_dict())

    def _stages(self) -> Sequence[nn.Module]:
        """Cut the backbone where its maps are compared with the teacher's."""
        if self.recipe.architecture == "conv1x1_vgg":
            return split_at_max_pools(self.network.backbone)
        layers = dict(self.network.backbone.named_children())  # without those that align the cells
        stem = nn.Sequential(*(layers[name] for name in ("conv1", "bn1", "relu", "maxpool", "layer1")))
        return [stem, layers["layer2"], layers["layer3"], layers["layer4"]]

    def loss(self, images: Tensor, targets: Tensor, phase: Phase) -> Tensor:
        """Compare features with the teacher's in a phase that is taught, else logits with labels."""
        if not (phase.taught and self._teacher):
            return super().loss(images, targets, phase)
        errors, values, hint = [], images, images
        for ours, theirs, adapter in zip(self._stages(), self._teacher, self._adapters, strict=True):
            values = ours(values)
            with torch.no_grad():
                hint = theirs(hint)
            errors.append(F.mse_loss(adapter(values).float(), hint.float()) / hint.float().var())
        return torch.stack(errors).mean()

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


def _convs(stage: nn.Module) -> list[nn.Conv2d]:
    """List a stage's convs on the straight path."""
    return [m for m in stage.modules() if isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1)]


def _channels(stage: nn.Module) -> int:
    """Give the channels that a stage puts out: those of its last conv."""
    return _convs(stage)[-1].out_channels


_WORTH_NAMING = 0.05  # of the image
TASKS: dict[str, type[Task]] = {"segment": SegmentTask, "classify": ClassifyTask}
