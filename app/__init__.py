"""What people touch: the server, the pages and the command line."""

import os

__version__ = "0.1.0"

# Before numpy is loaded. Its matrix products are small here, and a second thread that waits for work takes the
# processor from whoever has some: Drift took 3 times the processor time with two threads as with one, and on a busy
# machine of two cores 5 times as long. Sessions run side by side anyway.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
