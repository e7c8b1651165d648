"""Queries, vectors and ranking: what is asked, how near things are, in what order they come.

`query` and `rank` are pure and light. What needs numpy (`encode`, `vectors`, `semantic`) is
imported by whoever wires a semantic search, `transformer` only by who needs PyTorch.
"""

import os

# One short text at a time gains nothing from BLAS threads, and starting them costs more than the
# work; OpenBLAS reads this when numpy is first imported, so it has to stand before that.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
