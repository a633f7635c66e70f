"""An output head alone, forward and backward: one softmax, or a plain mixture of softmaxes after zihangdai/mos (model.py)."""

import torch
from torch import nn
from torch.nn import functional as F


class Softmax(nn.Module):
    def __init__(self, width, vocabulary):
        super().__init__()
        self.decoder = nn.Parameter(0.05 * torch.randn(vocabulary, width))

    def forward(self, hidden, targets):
        return F.cross_entropy(F.linear(hidden, self.decoder), targets)


class MixtureOfSoftmaxes(nn.Module):
    """Probabilities of every component over the whole vocabulary, mixed, then the logarithm."""

    def __init__(self, width, vocabulary, mixtures):
        super().__init__()
        self.mixtures = mixtures
        self.prior = nn.Linear(width, mixtures, bias=False)
        self.latent = nn.Sequential(nn.Linear(width, mixtures * width), nn.Tanh())
        self.decoder = nn.Parameter(0.05 * torch.randn(vocabulary, width))

    def forward(self, hidden, targets):
        N, E = hidden.shape
        latent = self.latent(hidden).view(N * self.mixtures, E)
        logits = F.linear(latent, self.decoder)  # [N·K, V]
        prior = F.softmax(self.prior(hidden), dim=-1)  # [N, K]
        each = F.softmax(logits, dim=-1).view(N, self.mixtures, -1)  # [N, K, V]
        mixed = (each * prior.unsqueeze(2)).sum(1)  # [N, V]
        return F.nll_loss(torch.log(mixed + 1e-8), targets)


def prepare(job):
    torch.manual_seed(1)
    torch.set_num_threads(job["threads"])
    width, vocabulary, mixtures = job["width"], job["vocabulary"], job["mixtures"]
    head = MixtureOfSoftmaxes(width, vocabulary, mixtures) if mixtures else Softmax(width, vocabulary)
    forward = torch.compile(head) if job["compile"] else head
    hidden = torch.randn(job["tokens"], width, requires_grad=True)
    targets = torch.randint(vocabulary, (job["tokens"],))

    def step():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=job["precision"] == "bfloat16"):
            loss = forward(hidden, targets)
        loss.backward()
        hidden.grad = None
        head.zero_grad(set_to_none=True)
        return loss.item()

    return step
