"""What the demo is, for someone who wants to know more."""

import gradio as gr

from segdemo import __version__, catalog

_TEXT = """
### What you see
A **classifier** ends in a Linear layer that reads the mean of its feature map. The same weights, reshaped from
`[classes, channels]` to `[classes, channels, 1, 1]`, are a **1×1 convolution** that answers at every cell of the map:
the classifier has become a coarse segmenter without being trained for it. The **FCN** goes on from there: it learns
the upsampling (transposed convolutions that start bilinear) and adds scores from earlier, finer layers (skips), which
refines the grid from one cell per 32×32 pixels to one per 16×16 and 8×8.

- **Class map**: the class with the highest score at each pixel; the background is left uncoloured.
- **Heatmap**: the probability of one class at each pixel, always on the same scale from 0 to 1. At first it is of the
  main class, the one that covers most, background aside.
- **Scores**: what the network itself makes, one block for each cell; all the rest is interpolated from it.
- **Mean confidence**: the mean probability of a class over the pixels that were given to it.
- **Refine edges**: a guided filter moves the edges of the probabilities to those of the photo. What you see is then no
  longer the network's work alone.
- **Best quality**: the mean over three sizes and the mirrored photo, in six passes.
- **Analysis size**: the longer side, in pixels, at which the network sees the photo. Larger shows it finer detail and
  smaller parts; each network starts at a size that suits it.

The overlay and the heatmap download as shown, 1,024 pixels at most; the mask has the photo's own size.

### The networks
{networks}

The networks of this project know three classes, background, cat and dog, learned from random weights on the
[Oxford-IIIT Pet dataset](https://www.robots.ox.ac.uk/~vgg/data/pets/) (Parkhi, Vedaldi, Zisserman, Jawahar, CVPR 2012;
CC BY-SA 4.0), its photos reduced to 128×128 pixels. Those of torchvision know 1,000 or 20; their weights are fetched
when they are first chosen. Other animals, drawings and crowds are outside what they know: the
probabilities still add up to 1.

### Your photos
stay on the machine that runs this page and are deleted with their results after some two hours, or when the program
ends. Nothing is sent anywhere else.

segdemo {version}
"""


def build() -> None:
    """Write the text, with the networks from the catalog."""
    networks = "\n".join(f"- **{e.title}** (`{name}`, {e.group}): {e.story}" for name, e in catalog.ENTRIES.items())
    gr.Markdown(_TEXT.format(networks=networks, version=__version__), elem_id="about")
