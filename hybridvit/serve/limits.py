"""What the service takes, and for how long it keeps it."""

PICTURES = 1000  # in a batch
BATCH_BYTES = 2**30  # of a batch, packed and unpacked
URL_SECONDS = 60.0  # for one photograph from an address
KEPT = 100  # batches that have ended, the last ones
IN_FLIGHT = 64  # requests at a time; more are told to come again
