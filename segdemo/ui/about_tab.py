"""What the demo is, for someone who wants to know more."""

import gradio as gr

from segdemo import catalog

_TEXT = """
### What you see
A **classifier** ends in a Linear layer that reads the mean of its feature map. The same weights, reshaped from
`[classes, channels]` to `[classes, channels, 1, 1]`, are a **1×1 convolution** that answers at every cell of the
map: the classifier has become a coarse segmenter without any training on outlines. The **FCN** goes on from there:
it learns the upsampling (transposed convolutions that start bilinear) and adds scores from earlier, finer layers
(skips), which takes the grid from 32 to 16 to 8 pixels.

### The networks
{networks}

They know three classes, background, cat and dog, learned from random weights on the photos of the [Oxford-IIIT Pet
dataset](https://www.robots.ox.ac.uk/~vgg/data/pets/) (Parkhi, Vedaldi, Zisserman, Jawahar, CVPR 2012; CC BY-SA 4.0)
at 128×128 pixels. Other animals, drawings and crowds are outside what they know: the probabilities still add up to
1.

### Your photos
stay on the machine that runs this page and are deleted with their results after some two hours. Nothing is sent
anywhere else.
"""


def build() -> None:
    """Write the text, with the table of networks from the catalog."""
    rows = "\n".join(f"| **{e.title}** | `{name}` | {e.story} |" for name, e in catalog.ENTRIES.items())
    gr.Markdown(_TEXT.format(networks=f"| | name | |\n| --- | --- | --- |\n{rows}"), elem_id="about")
