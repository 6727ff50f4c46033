"""What is learned from a batch: the class of every pixel, or the class of the whole image."""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models import SegmentationNetwork, build
from segdemo.models.classifier import Classifier, Conv1x1Segmenter, vgg_classifier
from segdemo.models.fcn import FCN
from segdemo.training.augment import crop_resize, jitter_colours, pet_free_boxes, random_boxes
from segdemo.training.data import IGNORE, Pets
from segdemo.training.recipes import Recipe

# ImageNet's mean and standard deviation, so that torchvision's weights can be a start.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """Bring photos `[N, 3, H, W]` from 0–1 to the range that the networks take."""
    mean, std = (images.new_tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (images - mean) / std


class Task(ABC):
    """One way to learn.

    Args:
        recipe: Its settings.
        weights: torchvision weights for the backbone, or None for a random start.
    """

    network: nn.Module

    def __init__(self, recipe: Recipe, weights: str | None = None) -> None:
        self.recipe = recipe
        self.network = self.build(weights)

    @abstractmethod
    def build(self, weights: str | None) -> nn.Module:
        """Build the network that is trained."""

    @abstractmethod
    def loss(self, batch: Pets) -> Tensor:
        """Augment a batch and compute the mean loss over it."""

    @abstractmethod
    def export(self, trained: nn.Module) -> SegmentationNetwork:
        """Turn the trained network into the one that segments, as the checkpoint holds it."""

    def cross_entropy(self, scores: Tensor, target: Tensor) -> Tensor:
        """Compute the recipe's weighted, smoothed cross-entropy; targets of 255 are left out."""
        weight = scores.new_tensor(self.recipe.class_weights)
        smoothing = self.recipe.label_smoothing
        return F.cross_entropy(scores, target, weight, ignore_index=IGNORE, label_smoothing=smoothing)


class SegmentTask(Task):
    """Learn the class of every pixel, with all outputs of an FCN trained jointly."""

    network: FCN

    def build(self, weights: str | None) -> nn.Module:
        """Build the FCN."""
        recipe = self.recipe
        return build(recipe.architecture, **recipe.arguments, dropout=recipe.dropout, weights=weights)

    def loss(self, batch: Pets) -> Tensor:
        """Mean of the three outputs' losses on random crops of the photos."""
        recipe, count = self.recipe, len(batch)
        boxes, flip = random_boxes(count, recipe.zoom, recipe.aspect), torch.rand(count) < 0.5  # noqa: PLR2004
        images = crop_resize(batch.images.float() / 255, boxes, recipe.image_size, flip=flip)
        labels = crop_resize(batch.labels[:, None].float(), boxes, recipe.image_size, "nearest", flip)[:, 0].long()
        outputs = self.network.forward_all(normalise(jitter_colours(images, recipe.colour)))
        return torch.stack([self.cross_entropy(scores, labels) for scores in outputs.values()]).mean()

    def export(self, trained: nn.Module) -> SegmentationNetwork:
        """The trained network is the one that segments."""
        return trained


class ClassifyTask(Task):
    """Learn cat and dog from whole images and the background from crops that hold no pet pixel."""

    network: Classifier

    def build(self, weights: str | None) -> nn.Module:
        """Build the classifier whose 1×1-conv twin the checkpoint will hold."""
        return vgg_classifier(**self.recipe.arguments, dropout=self.recipe.dropout, weights=weights)

    def loss(self, batch: Pets) -> Tensor:
        """Loss on the photos, slightly cropped, and on windows of them without a pet."""
        recipe, count = self.recipe, len(batch)
        wanted = round(count * recipe.background_share / (1 - recipe.background_share))
        free, rows = pet_free_boxes(batch.labels, recipe.background_zoom)
        free, rows = free[:wanted], rows[:wanted]
        boxes = torch.cat((random_boxes(count, recipe.zoom, recipe.aspect), free))
        flip = torch.rand(len(boxes)) < 0.5  # noqa: PLR2004
        photos = torch.cat((batch.images, batch.images[rows])).float() / 255
        images = normalise(jitter_colours(crop_resize(photos, boxes, recipe.image_size, flip=flip), recipe.colour))
        target = torch.cat((batch.species, batch.species.new_zeros(len(rows))))
        return self.cross_entropy(self.network(images), target)

    def export(self, trained: nn.Module) -> SegmentationNetwork:
        """Turn the Linear layer into a 1×1 conv."""
        return Conv1x1Segmenter(trained)


TASKS: dict[str, type[Task]] = {"segment": SegmentTask, "classify": ClassifyTask}
