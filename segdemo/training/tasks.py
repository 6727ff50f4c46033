"""What is learned from a batch: the class of every pixel, or the class of the whole image."""

from abc import ABC, abstractmethod
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models import SegmentationNetwork, build
from segdemo.models.classifier import Classifier, Conv1x1Segmenter, resnet_classifier, vgg_classifier
from segdemo.models.fcn import FCN
from segdemo.training.augment import (
    crop_resize,
    erase,
    jitter_colours,
    paste,
    pet_colours,
    pet_free_boxes,
    random_boxes,
    soften,
    structures,
    tile_mirrored,
)
from segdemo.training.data import IGNORE, Pets
from segdemo.training.negatives import Negatives
from segdemo.training.recipes import Phase, Recipe
from segdemo.training.scenes import lay_over, skies, things, windows

_PATCH_COLOUR = 0.6  # strength of the changes in the colours of what is pasted
_TILED = 0.4  # share of the images without a pet that are tiled
_PETLESS_PASTE = 0.8  # chance of each of two patches on an image without a pet
_SKIES = 0.25  # share of the scenes of negatives that are things before skies; the others are windows of pictures
_THINGS_BEFORE_PETS, _THINGS_IN_PICTURES, _THINGS_ELSEWHERE = 0.2, 0.25, 0.9  # chance of each of two things an image
# ImageNet's mean and standard deviation, so that torchvision's weights can be a start.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """Bring photos `[N, 3, H, W]` from 0–1 to the range that the networks take."""
    mean, std = (images.new_tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (images - mean) / std


class AllOutputs(nn.Module):
    """Gives every output that is trained from `forward`, the one method that data parallelism sees.

    Args:
        network: An FCN, whose three outputs are trained jointly, or any network with one output.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Give the scores of each output."""
        if isinstance(self.network, FCN):
            return tuple(self.network.forward_all(images).values())
        return (self.network(images),)


class Task(ABC):
    """One way to learn.

    Args:
        recipe: Its settings.
        weights: torchvision weights for the backbone, or None for a random start.
        negatives: Pictures without a pet beside the dataset, for the phases that want some.
    """

    network: nn.Module

    def __init__(self, recipe: Recipe, weights: str | None = None, negatives: Negatives | None = None) -> None:
        self.recipe, self.negatives = recipe, negatives
        self.network = self.build(weights)

    @abstractmethod
    def build(self, weights: str | None) -> nn.Module:
        """Build the network that is trained."""

    @abstractmethod
    def augment(self, batch: Pets, phase: Phase) -> tuple[Tensor, Tensor]:
        """Make what the network sees of a batch, `[N, 3, S, S]`, and the class indices that it should find."""

    @abstractmethod
    def export(self, trained: nn.Module) -> SegmentationNetwork:
        """Turn the trained network into the one that segments, as the checkpoint holds it."""

    def adapt(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Rename the tensors of a checkpoint to those of the network that is trained."""
        return tensors

    def loss(self, outputs: tuple[Tensor, ...], targets: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the weighted, smoothed cross-entropy, averaged over the outputs; targets of 255 are left out.

        Args:
            outputs: Scores, each `[N, C, ...]`.
            targets: Class indices `[N, ...]`.

        Returns:
            The sum over all targets, and the sum of their weights by which to divide it. They come apart because
            processes that share a batch must divide by the whole batch's.
        """
        weight = outputs[0].new_tensor(self.recipe.class_weights, dtype=torch.float32)
        settings = {"ignore_index": IGNORE, "label_smoothing": self.recipe.label_smoothing, "reduction": "sum"}
        sums = [F.cross_entropy(scores.float(), targets, weight, **settings) for scores in outputs]
        return torch.stack(sums).mean(), weight[targets[targets != IGNORE]].sum()

    def random_windows(self, batch: Pets, phase: Phase) -> tuple[Tensor, Tensor, Tensor]:
        """Choose a window of each photo, windows without a pet, and windows whose pet is to be erased.

        Returns:
            Boxes `[N + M + E, 4]`, the indices `[N + M + E]` of their photos, and which to mirror, bool `[N + M + E]`.
            M and E are what `petless` gives, M less where too few photos have such a window.
        """
        wanted, erased = self.petless(len(batch), phase)
        free, rows = pet_free_boxes(batch.labels, phase.background_zoom)
        photos, again = torch.arange(len(batch)), torch.randperm(len(batch))[:erased]
        rows = torch.cat((photos, rows[:wanted], again))
        drawn = random_boxes(len(photos) + len(again), phase.zoom, phase.aspect)
        boxes = torch.cat((drawn[: len(photos)], free[:wanted], drawn[len(photos) :]))
        return boxes, rows, torch.rand(len(boxes)) < 0.5  # noqa: PLR2004

    @staticmethod
    def petless(count: int, phase: Phase) -> tuple[int, int]:
        """Say how many windows without a pet and how many erased pets are made beside a batch of photos."""
        photos = 1 - phase.background_share - phase.erased_share
        return tuple(
            min(count, round(count * share / photos) * phase.mined)
            for share in (phase.background_share, phase.erased_share)
        )

    @staticmethod
    def patches(batch: Pets, phase: Phase) -> Tensor:
        """Cut windows without a pet out of the photos, as they are: `[M, 3, S, S]`, M at most N."""
        boxes, rows = pet_free_boxes(batch.labels, phase.background_zoom)
        return crop_resize(batch.images[rows].float() / 255, boxes, phase.image_size)


class SegmentTask(Task):
    """Learn the class of every pixel."""

    def build(self, weights: str | None) -> nn.Module:
        """Build the network that the checkpoint will hold."""
        recipe = self.recipe
        return build(recipe.architecture, **recipe.arguments, dropout=recipe.dropout, weights=weights)

    def augment(self, batch: Pets, phase: Phase) -> tuple[Tensor, Tensor]:
        """Cut random windows out of photos and labels alike, change colours, erase pets, paste patches."""
        boxes, rows, flip = self.random_windows(batch, phase)
        photos, labels = batch.images[rows].float() / 255, batch.labels[rows, None].float()
        images = jitter_colours(crop_resize(photos, boxes, phase.image_size, flip=flip), phase.colour)
        labels = crop_resize(labels, boxes, phase.image_size, "nearest", flip)[:, 0].long()
        if phase.paste or phase.erased_share:
            images, labels = self._change_contents(images, labels, batch, phase)
        if phase.negatives and self.negatives is not None:
            images, labels = self._among_negatives(images, labels, len(batch), phase)
        images = normalise(images)
        kept = self._hardest(images[len(batch) :], sum(self.petless(len(batch), replace(phase, mined=1))))
        return tuple(torch.cat((part[: len(batch)], part[len(batch) :][kept])) for part in (images, labels))

    def _change_contents(self, images: Tensor, labels: Tensor, batch: Pets, phase: Phase) -> tuple[Tensor, Tensor]:
        patches = self._changed_patches(images, labels, batch, phase)
        if not len(patches):
            return images, labels
        images, labels = self._erase(images, labels, patches, self.petless(len(batch), phase)[1])
        if phase.paste:
            images, labels = self._with_patches(images, labels, patches, len(batch), phase)
        return images, labels

    def _changed_patches(self, images: Tensor, labels: Tensor, batch: Pets, phase: Phase) -> Tensor:
        """Make what is pasted: windows without a pet, as lattices too, and drawn structures, their colours changed."""
        patches = self.patches(batch, phase)
        drawn = structures(pet_colours(images, labels, round(len(patches) * 2 * phase.drawn)), phase.image_size)
        return jitter_colours(torch.cat((patches, tile_mirrored(patches), drawn)), _PATCH_COLOUR)

    @staticmethod
    def _erase(images: Tensor, labels: Tensor, patches: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Paint over the pets of the last images."""
        last = torch.arange(len(images)) >= len(images) - count
        fills = patches[torch.randint(len(patches), (len(images),)).to(patches.device)]
        erased = erase(images, labels, fills, images.shape[-1] // 24)
        return _replace(images, last, erased), labels.masked_fill(last.to(labels.device).view(-1, 1, 1), 0)

    @staticmethod
    def _with_patches(
        images: Tensor, labels: Tensor, patches: Tensor, photos: int, phase: Phase
    ) -> tuple[Tensor, Tensor]:
        """Paste patches onto images, most onto those without a pet, some of which become lattices or structures."""
        petless, chance = torch.arange(len(images)) >= photos, torch.rand(len(images))
        images = _replace(images, petless & (chance < _TILED), tile_mirrored(images))
        everywhere = structures(pet_colours(images, labels, len(images)), phase.image_size)
        images = _replace(images, petless & (chance > 1 - phase.drawn), everywhere)
        shares = torch.where(petless, _PETLESS_PASTE, phase.paste)
        for _ in range(2):
            images, labels = paste(images, labels, patches, shares)
        return images, labels

    def _among_negatives(self, images: Tensor, labels: Tensor, photos: int, phase: Phase) -> tuple[Tensor, Tensor]:
        """Turn some images without a pet into scenes of negatives, and lay things over all kinds of images."""
        count, size, device = len(images), phase.image_size, images.device
        colours = pet_colours(images, labels, count)
        petless, chance = torch.arange(count) >= photos, torch.rand(count)
        scenes = petless & (chance < phase.negatives)
        in_picture = scenes & (chance >= phase.negatives * _SKIES)
        images = _replace(images, scenes, skies(count, size).to(device))
        images = _replace(images, in_picture, windows(self.negatives.photos, count, size))
        elsewhere = torch.where(in_picture, _THINGS_IN_PICTURES, _THINGS_ELSEWHERE)
        shares = torch.where(petless, elsewhere, _THINGS_BEFORE_PETS)
        for _ in range(2):
            textures = windows(self.negatives.photos, count, size)
            images, labels = lay_over(images, labels, things(self.negatives.cutouts, textures, colours, size), shares)
        return images, labels

    @torch.no_grad()
    def _hardest(self, images: Tensor, count: int) -> Tensor:
        """Find the images without a pet in which the network as it is sees most of one.

        Source of the idea: Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example
        Mining", 2016.

        Returns:
            At most `count` indices.
        """
        if len(images) <= count:
            return torch.arange(len(images), device=images.device)
        modes = [(module, module.training) for module in self.network.modules()]
        pets = 1 - self.network.eval()(images).softmax(1)[:, 0].mean((1, 2))
        for module, training in modes:
            module.training = training
        return pets.topk(count).indices

    def export(self, trained: nn.Module) -> SegmentationNetwork:
        """The trained network is the one that segments."""
        return trained


def _replace(images: Tensor, chosen: Tensor, others: Tensor) -> Tensor:
    return torch.where(chosen.to(images.device).view(-1, 1, 1, 1), others, images)


class ClassifyTask(Task):
    """Learn cat and dog from whole images and the background from crops that hold no pet pixel."""

    network: Classifier

    def build(self, weights: str | None) -> nn.Module:
        """Build the classifier whose 1×1-conv twin the checkpoint will hold."""
        builder = {"conv1x1_vgg": vgg_classifier, "conv1x1_resnet": resnet_classifier}[self.recipe.architecture]
        return builder(**self.recipe.arguments, dropout=self.recipe.dropout, weights=weights)

    def augment(self, batch: Pets, phase: Phase) -> tuple[Tensor, Tensor]:
        """Cut windows out of the photos, windows without a pet too, and erase the pets of some."""
        size, count = phase.image_size, len(batch)
        boxes, rows, flip = self.random_windows(batch, phase)
        fills = self.patches(batch, phase)
        images = crop_resize(batch.images[rows].float() / 255, boxes, size, flip=flip)
        targets = torch.cat((batch.species, batch.species.new_zeros(len(rows) - count)))
        erased = self.petless(count, phase)[1]
        if erased and len(fills):
            last = slice(len(rows) - erased, None)
            labels = batch.labels[rows[last], None].float()
            labels = crop_resize(labels, boxes[last], size, "nearest", flip[last])[:, 0]
            images[last] = erase(images[last], labels, fills[torch.arange(erased) % len(fills)], size // 24)
        elif erased:
            images, targets = images[:-erased], targets[:-erased]
        if phase.paste and len(fills):
            shares = torch.full((len(images),), phase.paste)
            images, _ = paste(images, images.new_zeros(len(images), size, size), fills, shares)
        return normalise(jitter_colours(soften(images, phase.soften), phase.colour)), targets

    def export(self, trained: nn.Module) -> SegmentationNetwork:
        """Turn the Linear layer into a 1×1 conv."""
        return Conv1x1Segmenter(trained)

    def adapt(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Turn a 1×1 conv `score` back into the Linear layer."""
        score = {k: v for k, v in tensors.items() if k.startswith("score.")}
        rest = {k: v for k, v in tensors.items() if k not in score}
        return rest | {k.replace("score.", "fc."): v.flatten(1) if v.ndim > 1 else v for k, v in score.items()}


TASKS: dict[str, type[Task]] = {"segment": SegmentTask, "classify": ClassifyTask}
