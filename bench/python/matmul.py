"""One matrix product in PyTorch: `torch.mm` (MKL for float32, oneDNN for bfloat16), or oneDNN's float32 by its own door."""

import torch


def prepare(job):
    torch.manual_seed(1)
    torch.set_num_threads(job["threads"])
    dtype = torch.bfloat16 if job["precision"] == "bfloat16" else torch.float32
    m, k, n = job["m"], job["k"], job["n"]
    a = torch.randn(k, m, dtype=dtype).t() if job["transposeA"] else torch.randn(m, k, dtype=dtype)
    b = torch.randn(n, k, dtype=dtype).t() if job["transposeB"] else torch.randn(k, n, dtype=dtype)
    if job["library"] == "torch":
        return lambda: torch.mm(a, b)
    weight = b.t()  # the door takes [n, k]; it reads strides, so nothing is copied here
    return lambda: torch.ops.mkldnn._linear_pointwise(a, weight, None, "none", [], "")
