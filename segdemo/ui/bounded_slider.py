"""A slider that takes any number: what lies outside its range becomes the nearest end."""

import gradio as gr


class BoundedSlider(gr.Slider):
    """A slider whose number field may be empty, or hold what is out of range, while somebody types.

    Gradio refuses such a number with an error that says nothing to a visitor.
    """

    is_template = True  # tells Gradio to draw it as its parent class

    def preprocess(self, payload: float | None) -> float:
        """Give the number, or the end of the range that is nearest to it; the first value where there is none."""
        number = self.value if payload is None else payload
        return super().preprocess(min(max(number, self.minimum), self.maximum))
