"""The recipes that the program's own networks are trained by."""

from typing import Any

from segdemo.training.datasets import CAMVID, IGNORED
from segdemo.training.recipe import Phase, Recipe, Source

_FOUR: dict[str, Any] = {
    "classes": ("background", "person", "cat", "dog"),
    "colours": ("#000000", "#cc79a7", "#e69f00", "#56b4e9"),  # Okabe and Ito's, which colour-blind people tell apart
    "class_weights": (1.0, 1.2, 1.6, 1.2),
}
# A bicyclist's mask holds the bicycle too.
_STREETS = dict.fromkeys(CAMVID, "background") | {"pedestrian": "person", "bicyclist": IGNORED}
_SOURCES = (
    Source(name="pets", share=0.6),
    Source(name="people", share=0.3),
    Source(name="camvid", share=0.1, words=_STREETS),
)
_FCN: dict[str, Any] = {
    "task": "segment",
    "architecture": "fcn_vgg",
}
_CLASSIFIER: dict[str, Any] = {"task": "classify", **_FOUR, "sources": _SOURCES}
_WHOLE: dict[str, Any] = {
    "area": (0.1, 1.0),
    "structures": 0.15,
}  # small crops too: most of those without an object are small
_LABELLED: dict[str, Any] = {**_WHOLE, "beside": 0.35, "pasted": 0.2, "balanced": True}
_EQUAL = (1.0, 1.0, 1.0, 1.0)
_LATER: dict[str, Any] = {"peak_rate": 6e-4, "area": (0.5, 1.0), "distant": 0.2, "pasted": 0.1, "balanced": True}
_APART: dict[str, Any] = {"distant": 0.3, "pasted": 0.3}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="fcn_vgg16",
            arguments={"backbone": "vgg16", "fc_width": 384, "fc_kernel": 5},
            **_FCN,
            **_FOUR,
            sources=_SOURCES,
            phases=(
                Phase(steps=400, image_size=128, **_APART),
                Phase(
                    steps=500, image_size=192, batch_size=12, peak_rate=7e-4, **_APART, structures=0.2, balanced=True
                ),
                Phase(
                    steps=300,
                    image_size=224,
                    batch_size=10,
                    peak_rate=6e-4,
                    area=(0.5, 1.0),
                    distant=0.2,
                    pasted=0.2,
                    structures=0.45,
                    balanced=True,
                    class_weights=(1.0, 1.2, 2.0, 1.0),
                ),
                Phase(
                    steps=200,
                    image_size=224,
                    batch_size=10,
                    peak_rate=5e-4,
                    area=(0.6, 1.0),
                    distant=0.15,
                    pasted=0.1,
                    structures=0.3,
                    balanced=True,
                    class_weights=(1.0, 1.2, 2.0, 1.0),
                ),
                Phase(
                    steps=500,
                    image_size=224,
                    other_sizes=(160, 192, 256, 288),
                    batch_size=12,
                    structures=0.3,
                    class_weights=(1.0, 1.1, 1.7, 1.0),
                    **_LATER,
                ),
                Phase(
                    steps=1120,
                    image_size=256,
                    other_sizes=(192, 224, 288),
                    batch_size=12,
                    structures=0.25,
                    class_weights=(1.0, 1.1, 1.3, 1.0),
                    **_LATER,
                ),
            ),
            analysis_size=224,
        ),
        Recipe(
            name="fcn_vgg16_camvid",
            arguments={"backbone": "vgg16", "fc_width": 384, "fc_kernel": 3},
            **_FCN,
            classes=tuple(CAMVID),
            colours=tuple(CAMVID.values()),
            # The square root of the median frequency over the class's own, between 0.5 and 4.
            class_weights=(0.57, 0.5, 2.37, 0.5, 0.96, 0.67, 2.13, 1.8, 1.0, 2.8, 2.65),
            sources=(Source(name="camvid"),),
            phases=(
                Phase(steps=300, image_size=224, batch_size=8, area=(0.12, 0.8), aspect=(0.8, 1.25)),
                Phase(steps=150, image_size=320, batch_size=4, area=(0.3, 1.0), aspect=(0.8, 1.25), peak_rate=5e-4),
            ),
            analysis_size=480,
            label_smoothing=0.0,
        ),
        Recipe(
            name="unet_vgg16_bn",
            task="segment",
            architecture="unet_vgg",
            arguments={"backbone": "vgg16_bn", "widths": (160, 96, 64, 32, 16)},
            **_FOUR,
            sources=_SOURCES,
            phases=(
                Phase(
                    steps=200,
                    image_size=192,
                    batch_size=12,
                    frozen=("stages.",),
                    distant=0.2,
                    pasted=0.1,
                    structures=0.2,
                    balanced=True,
                ),
                Phase(
                    steps=150,
                    image_size=224,
                    other_sizes=(160, 192, 256, 288),
                    batch_size=8,
                    structures=0.2,
                    **_LATER,
                ),
            ),
            analysis_size=224,
        ),
        Recipe(
            name="conv1x1_vgg11",
            arguments={"backbone": "vgg11_bn"},
            architecture="conv1x1_vgg",
            phases=(
                Phase(steps=100, image_size=144, peak_rate=5e-4, backbone_share=1.0, frozen=(), taught=True, **_WHOLE),
                Phase(steps=500, image_size=160, peak_rate=1e-3, backbone_share=0.2, frozen=(), **_LABELLED),
            ),
            **_CLASSIFIER,
            analysis_size=192,
        ),
        Recipe(
            name="conv1x1_resnet18",
            arguments={"backbone": "resnet18"},
            architecture="conv1x1_resnet",
            **_CLASSIFIER,
            analysis_size=224,
            phases=(
                Phase(
                    steps=1100,
                    image_size=96,
                    batch_size=32,
                    peak_rate=1e-3,
                    backbone_share=0.6,
                    frozen=(),
                    taught=True,
                    area=(0.2, 1.0),
                    structures=0.1,
                    beside=0.15,
                    pasted=0.15,
                    balanced=True,
                    class_weights=_EQUAL,
                ),
                Phase(
                    steps=400,
                    image_size=160,
                    peak_rate=1e-3,
                    backbone_share=0.3,
                    frozen=(),
                    **_LABELLED,
                    class_weights=_EQUAL,
                ),
            ),
        ),
    )
}
