"""Where a training run starts from: random weights, ImageNet's features, or the weights of a checkpoint."""

from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import ResNet, VGG16_Weights, get_model, get_model_weights

from segdemo.checkpoints import load, load_metadata, load_tensors
from segdemo.metadata import CheckpointError
from segdemo.models.backbones import vgg_features, without_last_pool
from segdemo.models.classifier import Classifier, from_resnet
from segdemo.training.distillation import be_identity_

RANDOM, IMAGENET = "random", "imagenet"
MEAN = (0.48235, 0.45882, 0.40784)
"""Of ImageNet's red, green and blue, as VGG16 was trained with it."""
STD = (0.25, 0.25, 0.25)
VGG_TERMS = "VGG16's ImageNet features: Simonyan and Zisserman, CC BY 4.0"
TORCHVISION_TERMS = "torchvision's ImageNet weights: BSD-3-Clause; ImageNet's photos are for research"
_VGG_STD = 1 / 255  # what VGG16's first conv expects
_TORCHVISION_STD = (0.229, 0.224, 0.225)
_PREFIX = "features."


class StartError(ValueError):
    """A run cannot start from what was named; the message says why."""


def starting_layers(init: str, images: Tensor) -> tuple[nn.Sequential, str]:
    """Get VGG16's layers to start from: ImageNet's, rescaled, or the stages of a checkpoint that has them.

    Args:
        init: As `read_features` takes it, or a checkpoint of an FCN on a plain VGG16.
        images: `[N, 3, H, W]`, photos to measure on.

    Returns:
        The layers, for photos normalised by `MEAN` and `STD`, and one sentence for the log and the card.

    Raises:
        StartError: The file is missing or holds something else, or there is no network to fetch with.
    """
    if init != IMAGENET and is_checkpoint(Path(init)):
        network, metadata = load(Path(init))
        if metadata.arguments.get("backbone") != "vgg16" or metadata.architecture != "fcn_vgg":
            raise StartError(f"{init} has no plain VGG16 to start from")
        told = f"the VGG16 of {Path(init).name}, which began from {metadata.recipe['start']}"
        return nn.Sequential(*_backbone(network)), told
    layers, told = read_features(init)
    rescale_(layers, images)
    return layers, told


def read_features(init: str) -> tuple[nn.Sequential, str]:
    """Read VGG16's ImageNet features: torchvision's, fetched on first use, or those of a safetensors file.

    Source: Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015.

    Returns:
        The layers, for photos normalised by `MEAN` and `STD`, and one sentence for the log and the card.

    Raises:
        StartError: The file is missing or holds something else, or there is no network to fetch with.
    """
    try:
        if init == IMAGENET:
            weights = VGG16_Weights.IMAGENET1K_FEATURES
            told = f"torchvision's {weights}"
            tensors = weights.get_state_dict(progress=True, check_hash=True)
        else:
            path = Path(init)
            told = f"{path.name} (sha256 {sha256(path.read_bytes()).hexdigest()[:12]})"
            tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise StartError(f"cannot start from {init}: {error}") from error
    chosen = {n.removeprefix(_PREFIX): t.float() for n, t in tensors.items() if n.startswith(_PREFIX)}
    features = vgg_features("vgg16")
    wanted = {name: tensor.shape for name, tensor in features.state_dict().items()}
    if {name: tensor.shape for name, tensor in chosen.items()} != wanted:
        raise StartError(f"{init} does not hold the thirteen convs of VGG16")
    features.load_state_dict(chosen)
    with torch.no_grad():
        features[0].get_parameter("weight").mul_(STD[0] / _VGG_STD)
    return features, f"ImageNet's features of VGG16, {told}"


@torch.no_grad()
def rescale_(features: nn.Sequential, images: Tensor) -> float:
    """Give each conv's output on photos `[N, 3, H, W]` an RMS of 1, in place: the network changes by one factor.

    VGG16's values grow from layer to layer, to hundreds behind the third pooling, where a fresh 1×1 conv with common
    learning rates would explode. ReLU and MaxPool let a positive factor through, so it can be taken out of one conv
    and out of the biases of those behind it.

    Returns:
        The factor: what the network gave before over what it gives now.
    """
    factor, values = 1.0, images
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            bias = layer.get_parameter("bias").div_(factor)
            size = layer(values).square().mean().sqrt().item()
            layer.weight /= size
            bias /= size
            factor *= size
        values = layer(values)
    return factor


@torch.no_grad()
def with_batch_norm(features: nn.Sequential, images: Tensor) -> nn.Sequential:
    """Put a BatchNorm behind each conv of VGG16 that changes nothing in `eval` mode.

    Mean and variance are measured on photos, `[N, 3, H, W]`.

    Returns:
        Layers with weights of their own, in the order of torchvision's VGG16-BN.
    """
    layers: list[nn.Module] = []
    for layer in features:
        layers.append(copy := deepcopy(layer))
        images = copy(images)
        if isinstance(layer, nn.Conv2d):
            norm = nn.BatchNorm2d(layer.out_channels)
            be_identity_(norm, images)
            layers.append(norm)
    return nn.Sequential(*layers)


def fill_backbone(network: nn.Module, features: nn.Sequential) -> None:
    """Copy features into a network's stages, which are the same layers cut at the MaxPools."""
    for ours, theirs in zip(_backbone(network), features, strict=True):
        ours.load_state_dict(theirs.state_dict())


def _backbone(network: nn.Module) -> list[nn.Module]:
    return [layer for stage in network.get_submodule("stages").children() for layer in stage.children()]


def fill_from_torchvision(classifier: Classifier, backbone: str) -> str:
    """Copy torchvision's ImageNet weights, fetched on first use, into a classifier's backbone.

    Its photos are scaled by other numbers, which its first conv takes in; their means differ by less than 0.01.

    Returns:
        One sentence for the log and the card.

    Raises:
        StartError: There is no network to fetch with.
    """
    weights = get_model_weights(backbone)["IMAGENET1K_V1"]
    try:
        tensors = weights.get_state_dict(progress=True, check_hash=True)
    except OSError as error:
        raise StartError(f"cannot start from {IMAGENET}: {error}") from error
    model = get_model(backbone)
    model.load_state_dict(tensors)
    source = (
        from_resnet(model).backbone
        if isinstance(model, ResNet)
        else without_last_pool(cast(nn.Sequential, model.features))
    )
    classifier.backbone.load_state_dict(source.state_dict())
    first = next(layer for layer in classifier.backbone.modules() if isinstance(layer, nn.Conv2d))
    with torch.no_grad():
        first.weight *= (torch.tensor(STD) / torch.tensor(_TORCHVISION_STD)).view(3, 1, 1)
    return f"torchvision's {weights}"


def transfer(network: nn.Module, path: Path) -> str:
    """Copy every weight of a checkpoint that has its place, by name and shape, in a network.

    Returns:
        One sentence for the log and the card.

    Raises:
        CheckpointError: The file is missing or damaged.
        StartError: Nothing in it fits.
    """
    metadata, tensors = load_tensors(path)
    places = network.state_dict()
    fitting = {k: v for k, v in tensors.items() if k in places and places[k].shape == v.shape}
    if not fitting:
        raise StartError(f"nothing in {path.name} fits the network")
    network.load_state_dict(fitting, strict=False)
    fingerprint = sha256(path.read_bytes()).hexdigest()[:12]
    before = metadata.recipe.get("start", RANDOM)
    return f"{len(fitting)} of {len(places)} tensors from {path.name} (sha256 {fingerprint}), which began from {before}"


def starting_terms(told: str) -> list[str]:
    """Give the terms of what a run started from, by the sentence that says it."""
    if "VGG16" in told:
        return [VGG_TERMS]
    return [TORCHVISION_TERMS] if "torchvision" in told else []


def is_checkpoint(path: Path) -> bool:
    """Say whether a file is a checkpoint of this program, and not bare features."""
    try:
        load_metadata(path)
    except CheckpointError:
        return False
    return True


def holds(path: Path, architecture: str) -> bool:
    """Say whether a checkpoint is of an architecture."""
    return load_metadata(path).architecture == architecture
