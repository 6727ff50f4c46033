"""Recipes: everything that a training run is made with, besides the data."""

from dataclasses import dataclass, field


def _refuse_broken(owner: str, checks: dict[str, bool]) -> None:
    broken = [rule for rule, holds in checks.items() if not holds]
    if broken:
        raise ValueError(f"{owner}: {'; '.join(broken)}")


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of a training run: one rise and fall of the learning rate, with a fresh optimizer.

    Attributes:
        epochs: Passes over the training photos.
        image_size: Side of the square crops that the network sees, pixels.
        peak_rate: The one-cycle schedule's highest learning rate.
        warmup: Share of the steps in which the rate rises.
        frozen: Parts of the network, by the first words of their parameters' names, that keep their weights and their
            BatchNorm statistics.
        background_share: Share of each batch that is crops without a pet.
        erased_share: Share of each batch that is photos whose pet is painted over with background.
        mined: `segment` only: images without a pet that are made for each that is kept, which are those in which the
            network sees most of a pet.
        soften: `classify` only: share of the images that are shown at a half or a quarter of their resolution.
        drawn: `segment` only: share of the images without a pet, and of what is pasted, that is drawn, not cut out.
        negatives: `segment` only: share of the images without a pet that are made of pictures beside the dataset, where
            such are given.
        paste: Share of the images onto which a patch without a pet is pasted, twice over.
        zoom: Side of the random crop as a share of the photo, lowest and highest.
        aspect: Crops are squeezed by a factor of up to 1 + aspect either way.
        colour: Strength of the changes in brightness, contrast and saturation.
        background_zoom: Side of the crops without a pet as a share of the photo.

    Raises:
        ValueError: A setting lies outside its range; the message names it.
    """

    epochs: int
    image_size: int = 64
    peak_rate: float = 1.5e-3
    warmup: float = 0.25
    frozen: tuple[str, ...] = ()
    background_share: float = 0.0
    erased_share: float = 0.0
    mined: int = 1
    soften: float = 0.0
    paste: float = 0.0
    drawn: float = 0.0
    negatives: float = 0.0
    zoom: tuple[float, float] = (0.45, 1.0)
    aspect: float = 0.3
    colour: float = 0.3
    background_zoom: tuple[float, float] = (0.2, 0.8)

    def __post_init__(self) -> None:
        _refuse_broken(
            "phase",
            {
                "epochs, image_size and mined are at least 1": min(self.epochs, self.image_size, self.mined) >= 1,
                "peak_rate is above 0": self.peak_rate > 0,
                "warmup is from 0 to below 1": 0 <= self.warmup < 1,
                "frozen is a tuple of names": isinstance(self.frozen, tuple) and all(self.frozen),
                # There is at most one background crop and one erased pet a photo.
                "background_share and erased_share are from 0 to a third": 0 <= self.background_share <= 1 / 3
                and 0 <= self.erased_share <= 1 / 3,
                "paste, soften, drawn and negatives are from 0 to 1": all(
                    0 <= share <= 1 for share in (self.paste, self.soften, self.drawn, self.negatives)
                ),
                "aspect is at least 0": self.aspect >= 0,
                "colour is from 0 to below 1": 0 <= self.colour < 1,
                **{
                    f"{name} is two shares of the photo, rising": 0 < low <= high <= 1
                    for name, (low, high) in {"zoom": self.zoom, "background_zoom": self.background_zoom}.items()
                },
            },
        )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one training run.

    Attributes:
        name: Of the recipe and of the checkpoint that it makes.
        task: `segment` learns from labels for each pixel, `classify` from one label for each image.
        architecture: A key of `segdemo.models.ARCHITECTURES`, what the checkpoint holds.
        arguments: What its builder takes.
        phases: One after the other, each going on from the running weights.
        batch_size: Photos a step.
        analysis_size: Longer side at which the trained network sees a photo, pixels.
        weight_decay: AdamW's.
        average: Decay, a step, of the running average of the weights, which is what is saved.
        class_weights: In the loss, by class: background, cat, dog.
        label_smoothing: In the loss.
        dropout: In the layers before the scores.

    Raises:
        ValueError: A setting lies outside its range; the message names it.
    """

    name: str
    task: str
    architecture: str
    arguments: dict[str, object] = field(default_factory=dict)
    phases: tuple[Phase, ...]
    batch_size: int = 32
    analysis_size: int = 128
    weight_decay: float = 0.02
    average: float = 0.99
    class_weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    label_smoothing: float = 0.05
    dropout: float = 0.1

    def __post_init__(self) -> None:
        shares = {
            "average": self.average,
            "label_smoothing": self.label_smoothing,
            "dropout": self.dropout,
        }
        checks = {
            "task is segment or classify": self.task in ("segment", "classify"),
            "phases are one or more": len(self.phases) > 0,
            "batch_size and analysis_size are at least 1": min(self.batch_size, self.analysis_size) >= 1,
            "weight_decay is at least 0": self.weight_decay >= 0,
            "class_weights are three numbers of at least 0": [w >= 0 for w in self.class_weights] == [True] * 3,
            **{f"{name} is from 0 to below 1": 0 <= value < 1 for name, value in shares.items()},
        }
        _refuse_broken(f"recipe {self.name}", checks)

    @property
    def epochs(self) -> int:
        """Passes over the training photos, all phases together."""
        return sum(phase.epochs for phase in self.phases)

    def phase_at(self, epoch: int) -> tuple[int, int]:
        """Find the phase of an epoch, counted from 0: its index, and that phase's first epoch.

        Raises:
            ValueError: The recipe has fewer epochs.
        """
        first = 0
        for index, phase in enumerate(self.phases):
            if epoch < first + phase.epochs:
                return index, first
            first += phase.epochs
        raise ValueError(f"recipe {self.name} has {self.epochs} epochs, no epoch {epoch + 1}")


# For a classifier to say "background" it needs images without a pet that differ from the others in nothing else: crops
# are enlarged and so blurred, erased pets leave an outline.
_PETLESS = {"background_share": 0.15, "erased_share": 0.15, "soften": 0.3, "paste": 0.3}
_GENTLE = {"zoom": (0.5, 1.0), "aspect": 0.2, "colour": 0.25, "background_zoom": (0.25, 0.8)}

# For a segmenter, images in which things stand out that are no pet.
_THINGS = {"background_share": 0.1, "erased_share": 0.03, "paste": 0.35, "drawn": 0.3}

_DECEIVING = {"background_share": 0.15, "erased_share": 0.05, "mined": 4, "paste": 0.4, "drawn": 0.5}
_AMONG_OTHERS = {
    "background_share": 0.3,
    "erased_share": 0.03,
    "mined": 2,
    "paste": 0.3,
    "drawn": 0.3,
    "negatives": 0.8,
}
_STEM = ("stages.0.", "stages.1.")  # edges and colours, which crops of another kind do not change

_UNET = {
    "task": "segment",
    "architecture": "unet_vgg",
    "arguments": {"backbone": "vgg16_bn", "num_classes": 3},
    "analysis_size": 96,
    "class_weights": (1.0, 1.6, 1.2),
}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="fcn_vgg16",
            task="segment",
            architecture="fcn_vgg",
            arguments={"backbone": "vgg16_bn", "num_classes": 3, "fc_width": 512, "fc_kernel": 1},
            phases=(
                Phase(epochs=18),
                # Every photo holds a pet, so until here whatever stands out is one. Now some things that do are none.
                Phase(epochs=7, peak_rate=1e-3, warmup=0.1, frozen=_STEM, background_share=0.15, paste=0.35),
                Phase(
                    epochs=3,
                    image_size=96,
                    peak_rate=5e-4,
                    warmup=0.05,
                    frozen=_STEM,
                    background_share=0.2,
                    paste=0.4,
                    drawn=0.5,
                ),
                # All stages but the first once more, at a high rate, against images without a pet that deceive most.
                Phase(epochs=6, peak_rate=1.2e-3, warmup=0.1, frozen=_STEM[:1], **_DECEIVING),
                Phase(epochs=2, image_size=96, peak_rate=6e-4, warmup=0.05, frozen=_STEM, **_DECEIVING),
                # At last against pictures of other things, for what the pets' own backgrounds do not show.
                Phase(epochs=8, peak_rate=1.2e-3, warmup=0.1, frozen=_STEM[:1], **_AMONG_OTHERS),
                Phase(epochs=2, image_size=96, peak_rate=5e-4, warmup=0.05, frozen=_STEM, **_AMONG_OTHERS),
            ),
            analysis_size=96,
            class_weights=(1.0, 2.0, 1.2),
        ),
        Recipe(
            name="conv1x1_vgg11",
            task="classify",
            architecture="conv1x1_vgg",
            arguments={"backbone": "vgg11_bn", "num_classes": 3},
            phases=(
                Phase(
                    epochs=9,
                    image_size=48,
                    background_share=0.2,
                    zoom=(0.65, 1.0),
                    aspect=0.2,
                    colour=0.2,
                    background_zoom=(0.15, 0.5),
                ),
                Phase(epochs=7, peak_rate=1e-3, warmup=0.1, **_PETLESS, **_GENTLE),
            ),
            analysis_size=96,
            class_weights=(1.0, 1.2, 1.0),
        ),
        Recipe(
            name="conv1x1_resnet18",
            task="classify",
            architecture="conv1x1_resnet",
            arguments={"backbone": "resnet18", "num_classes": 3},
            phases=(
                Phase(epochs=12, **_PETLESS, **_GENTLE),
                Phase(epochs=4, image_size=96, peak_rate=6e-4, warmup=0.1, **_PETLESS, **_GENTLE),
            ),
            analysis_size=128,
            class_weights=(1.0, 1.2, 1.0),
        ),
        Recipe(
            name="unet_vgg16_bn",
            phases=(
                Phase(epochs=2, frozen=("stages.",), **_THINGS),
                Phase(epochs=2, peak_rate=4e-4, warmup=0.1, **_THINGS),
            ),
            **_UNET,
        ),
        # To compare with: the same network with nothing transferred, so nothing to freeze; only its log is shipped.
        Recipe(
            name="unet_vgg16_bn_random",
            phases=(Phase(epochs=3, **_THINGS),),
            **_UNET,
        ),
    )
}
