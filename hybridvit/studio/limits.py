"""What the studio takes, and keeps in memory."""

BYTES = 2**30  # of an uploaded file
PIXELS = 200_000_000  # of a photograph; `hybridvit colorize` takes larger ones
OPEN_BYTES = 2**29  # of the pixels of all open photographs together; the last one stays open in any case
OPEN = 512  # of them: what a tiny one takes beside its pixels counts too
AWAKE = (
    4  # open photographs, those used last, that keep what was computed of their colours, about 36 MiB each
)
COLORED_BYTES = 3 * 2**22  # of what was painted last, for each of them
VIEW_PIXELS = 2**20  # of the model's view: about a GiB of memory, and it grows with the square
SMALL_BYTES = 2**26  # of finished tiles, and of thumbnails, references and recipes: each
