"""One matrix product in NumPy, whose wheels bring OpenBLAS; transposed operands are read in place."""

import numpy as np


def prepare(job):
    random = np.random.default_rng(1)
    m, k, n = job["m"], job["k"], job["n"]
    draw = lambda rows, columns: random.standard_normal((rows, columns), dtype=np.float32)
    a = draw(k, m).T if job["transposeA"] else draw(m, k)
    b = draw(n, k).T if job["transposeB"] else draw(k, n)
    out = np.empty((m, n), dtype=np.float32)
    return lambda: np.matmul(a, b, out=out)
