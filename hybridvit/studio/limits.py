"""What the studio takes, and keeps in memory."""

from hybridvit.inference.canvas import KEPT_BYTES

BYTES = 2**30  # of an uploaded file
PIXELS = 200_000_000  # of a photograph; `hybridvit colorize` takes larger ones
OPEN_BYTES = 3 * 2**28  # of all open photographs together; the last one stays open in any case
CANVAS_BYTES = KEPT_BYTES  # that the canvas of an open photograph is counted with, beside the pixels
COLORED_BYTES = 2**23  # of what was painted last, for each open photograph
VIEW_PIXELS = 2**20  # of the model's view: about a GiB of memory, and it grows with the square
SMALL_BYTES = 2**26  # of finished tiles, and of thumbnails, references and recipes: each
