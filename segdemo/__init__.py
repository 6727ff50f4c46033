"""A web demo that shows how an image classifier becomes a segmenter."""

__version__ = "0.1.0"
