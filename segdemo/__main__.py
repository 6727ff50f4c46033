"""The command line: `python -m segdemo models | predict | train | calibrate | evaluate | bench | sums`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from segdemo.commands import BAD_INPUT, bench, calibrate, evaluate, models, predict, sums, train
from segdemo.render import HEAT_COLORMAPS
from segdemo.segmentation import AUTO
from segdemo.segmenter import FULL
from segdemo.training.recipes import RECIPES
from segdemo.training.start import RANDOM


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Those behind `python -m segdemo`, by default the process's own.

    Returns:
        The exit code: 0, or 2 with one line on standard error for bad input.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no × must not end a command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (ValueError, OSError) as error:
        print(f"segdemo {options.command}: {error}", file=sys.stderr)
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="segdemo", description="How an image classifier becomes a segmenter.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        text = run.__doc__ or ""
        added = commands.add_parser(run.__name__, help=text, description=text)
        added.set_defaults(run=run)
        return added

    listing = command(models)
    listing.add_argument("--json", action="store_true", help="for programs")

    prediction = command(predict)
    prediction.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="photos or folders")
    prediction.add_argument("--list", type=Path, metavar="FILE", help="a text file of paths, one a line")
    prediction.add_argument("--model", required=True, metavar="NAME", help="a network of `python -m segdemo models`")
    prediction.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the files go")
    prediction.add_argument("--engine", choices=("here", "ray"), default="here", help="ray: many cores, GPUs, machines")
    prediction.add_argument("--workers", type=int, metavar="N", help="with ray (default: one a GPU, else one a core)")
    prediction.add_argument("--class", dest="heatmap_class", default=AUTO, help="of the heatmap (default: auto)")
    _add_look(prediction)
    prediction.add_argument("--opacity", type=_share, default=0.6, help="of the overlay, 0 to 1 (default: 0.6)")
    prediction.add_argument("--colormap", choices=HEAT_COLORMAPS, default=HEAT_COLORMAPS[0])
    _add_device(prediction)

    training = command(train)
    training.add_argument("recipe", metavar="RECIPE", help=" or ".join(RECIPES))
    _add_data(training)
    training.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")
    training.add_argument("--resume", action="store_true", help="go on after the last whole epoch")
    training.add_argument("--max-minutes", type=float, default=float("inf"), metavar="M", help="stop after that epoch")
    training.add_argument("--seed", type=int, default=0)
    training.add_argument(
        "--init", default=RANDOM, metavar="START", help="random, imagenet, or a checkpoint whose weights are taken over"
    )
    training.add_argument(
        "--negatives", type=Path, metavar="DIR", help="pictures and cut-outs without a pet, for phases that want some"
    )
    training.add_argument("--from-phase", type=int, default=1, metavar="N", help="begin with this phase of the recipe")
    _add_device(training)

    setting = command(calibrate)
    setting.add_argument("checkpoint", type=Path, metavar="FILE", help="written back in place")
    _add_data(setting)

    measuring = command(evaluate)
    measuring.add_argument("networks", nargs="*", metavar="NAME")
    measuring.add_argument("--all", action="store_true", help="every network of the catalog")
    _add_data(measuring)
    measuring.add_argument("--split", choices=("test", "held-out", "trainval"), default="test")
    _add_look(measuring)
    measuring.add_argument("--json", action="store_true", help="for programs")
    measuring.add_argument("--write", action="store_true", help="put the table in the two READMEs")
    _add_device(measuring)

    speed = command(bench)
    speed.add_argument("figures", nargs="*", metavar="FIGURE", help="those to measure (default: all)")
    speed.add_argument("--quick", action="store_true", help="fewer runs, photos of up to 4 megapixels")
    speed.add_argument(
        "--data", type=Path, metavar="DIR", help="the folder of oxford-iiit-pet/, to compare precisions on"
    )
    speed.add_argument("--json", action="store_true", help="for programs")
    _add_device(speed)

    command(sums)
    return parser


def _add_look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--analysis-size",
        type=_analysis_size,
        metavar="PX",
        help="longer side that the network sees, or `full` for the photo's own",
    )
    parser.add_argument("--best-quality", action="store_true", help="average over three sizes and mirroring")
    parser.add_argument("--refine-edges", action="store_true", help="move edges to those of the photo")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="the folder of oxford-iiit-pet/")
    parser.add_argument("--download", action="store_true", help="fetch the dataset if it is not there (800 MB)")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu (default: auto)")


def _analysis_size(text: str) -> int | str:
    if text == FULL:
        return FULL
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is neither a number of pixels nor `{FULL}`") from None


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number between 0 and 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
