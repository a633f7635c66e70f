"""Causal attention alone, forward and backward, on queries, keys and values that lie as PyTorch likes them best."""

import torch
from torch.nn import functional as F


def prepare(job):
    torch.manual_seed(1)
    torch.set_num_threads(job["threads"])
    shape = (job["batch"], job["heads"], job["context"], job["width"] // job["heads"])
    dtype = torch.bfloat16 if job["precision"] == "bfloat16" else torch.float32
    q, k, v = (torch.randn(shape, dtype=dtype, requires_grad=True) for _ in range(3))
    d_out = torch.randn(shape, dtype=dtype)

    def step():
        F.scaled_dot_product_attention(q, k, v, is_causal=True).backward(d_out)
        q.grad = k.grad = v.grad = None

    return step
