"""The same recurrent model and training step as softbox's, in PyTorch: nn.LSTM or nn.GRU, tied output, carried state."""

import torch
from torch import nn
from torch.nn import functional as F

from gpt import make_optimizer

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class Recurrent(nn.Module):
    def __init__(self, cell, vocabulary, width, layers):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.tokens.weight, std=0.05)
        self.layers = CELLS[cell](width, width, num_layers=layers, batch_first=True)

    def forward(self, ids, targets, state):
        hidden, state = self.layers(self.tokens(ids), state)
        logits = F.linear(hidden, self.tokens.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten()), state


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def prepare(job):
    torch.manual_seed(1)
    torch.set_num_threads(job["threads"])
    model = Recurrent(job["cell"], job["vocabulary"], job["width"], job["layers"])
    forward = torch.compile(model) if job["compile"] else model
    optimizer = make_optimizer(model)
    shape = (job["batch"], job["context"])
    ids = torch.randint(job["vocabulary"], shape)
    targets = torch.randint(job["vocabulary"], shape)
    zeros = torch.zeros(job["layers"], job["batch"], job["width"])
    carried = [(zeros, zeros) if job["cell"] == "lstm" else zeros]

    def step():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=job["precision"] == "bfloat16"):
            loss, state = forward(ids, targets, carried[0])
        carried[0] = detached(state)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step
