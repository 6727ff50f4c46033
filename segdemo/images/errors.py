"""What is said of a file that cannot be used."""


class ImageError(ValueError):
    """A file is no photo that can be used; the message says why in one sentence."""
