"""What can be read off a figure."""


def labels(axis):
    """The texts at the ticks of an axis."""
    return [text.get_text() for text in axis.get_ticklabels()]
