"""Recipes: everything that a training run is made with, besides the data."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one training run.

    Attributes:
        name: Of the recipe and of the checkpoint that it makes.
        task: `segment` learns from labels for each pixel, `classify` from one label for each image.
        architecture: A key of `segdemo.models.ARCHITECTURES`, what the checkpoint holds.
        arguments: What its builder takes.
        epochs: Passes over the training photos.
        batch_size: Photos a step.
        image_size: Side of the square crops that the network sees, pixels.
        analysis_size: Longer side at which the trained network sees a photo, pixels.
        peak_rate: The one-cycle schedule's highest learning rate.
        warmup: Share of the steps in which the rate rises.
        weight_decay: AdamW's.
        average: Decay, a step, of the running average of the weights, which is what is saved.
        class_weights: In the loss, by class: background, cat, dog.
        label_smoothing: In the loss.
        dropout: In the layers before the scores.
        zoom: Side of the random crop as a share of the photo, lowest and highest.
        aspect: Crops are squeezed by a factor of up to 1 + aspect either way.
        colour: Strength of the changes in brightness, contrast and saturation.
        background_share: `classify` only: share of each batch that is crops without a pet.
        background_zoom: `classify` only: side of those crops as a share of the photo.

    Raises:
        ValueError: A setting lies outside its range; the message names it.
    """

    name: str
    task: str
    architecture: str
    arguments: dict[str, object] = field(default_factory=dict)
    epochs: int
    batch_size: int = 32
    image_size: int = 64
    analysis_size: int = 128
    peak_rate: float = 1.5e-3
    warmup: float = 0.25
    weight_decay: float = 0.02
    average: float = 0.99
    class_weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    label_smoothing: float = 0.05
    dropout: float = 0.1
    zoom: tuple[float, float] = (0.45, 1.0)
    aspect: float = 0.3
    colour: float = 0.3
    background_share: float = 0.0
    background_zoom: tuple[float, float] = (0.15, 0.5)

    def __post_init__(self) -> None:
        shares = {
            "warmup": self.warmup,
            "average": self.average,
            "label_smoothing": self.label_smoothing,
            "dropout": self.dropout,
            "colour": self.colour,
        }
        checks = {
            "task is segment or classify": self.task in ("segment", "classify"),
            "epochs, batch_size, image_size and analysis_size are at least 1": min(
                self.epochs, self.batch_size, self.image_size, self.analysis_size
            )
            >= 1,
            "peak_rate is above 0": self.peak_rate > 0,
            "weight_decay and aspect are at least 0": self.weight_decay >= 0 and self.aspect >= 0,
            "class_weights are three numbers of at least 0": [w >= 0 for w in self.class_weights] == [True] * 3,
            # There is at most one background crop a photo.
            "background_share is from 0 to 0.5": 0 <= self.background_share <= 0.5,  # noqa: PLR2004
            **{f"{name} is from 0 to below 1": 0 <= value < 1 for name, value in shares.items()},
            **{
                f"{name} is two shares of the photo, rising": 0 < low <= high <= 1
                for name, (low, high) in {"zoom": self.zoom, "background_zoom": self.background_zoom}.items()
            },
        }
        broken = [rule for rule, holds in checks.items() if not holds]
        if broken:
            raise ValueError(f"recipe {self.name}: {'; '.join(broken)}")


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="fcn_vgg16",
            task="segment",
            architecture="fcn_vgg",
            arguments={"backbone": "vgg16_bn", "num_classes": 3, "fc_width": 512, "fc_kernel": 1},
            epochs=18,
            analysis_size=96,
            class_weights=(1.0, 2.0, 1.2),
        ),
        Recipe(
            name="conv1x1_vgg11",
            task="classify",
            architecture="conv1x1_vgg",
            arguments={"backbone": "vgg11_bn", "num_classes": 3},
            epochs=9,
            image_size=48,
            analysis_size=64,
            class_weights=(1.0, 1.2, 1.0),
            zoom=(0.65, 1.0),
            aspect=0.2,
            colour=0.2,
            background_share=0.2,
        ),
    )
}
