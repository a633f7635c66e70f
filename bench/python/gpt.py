"""The same model and training step as softbox's, in PyTorch: embedding tied to the output, pre-norm blocks, AdamW, clipping."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)

    def attend(self, x):
        B, T, E = x.shape
        q, k, v = (
            part.view(B, T, self.heads, E // self.heads).transpose(1, 2) for part in self.qkv(x).split(E, dim=2)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.output(mixed.transpose(1, 2).reshape(B, T, E))

    def forward(self, x):
        x = x + self.attend(self.attention_norm(x))
        return x + self.contract(F.gelu(self.expand(self.feed_forward_norm(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, vocabulary, context, width, layers, heads):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                residual = name.endswith(("output.weight", "contract.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers) if residual else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, ids, targets):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.tokens.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def make_optimizer(model, rate=1e-3):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), eps=1e-8, fused=True)


def train_step(model, forward, optimizer, ids, targets, bfloat16):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        loss = forward(ids, targets)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss


def prepare(job):
    torch.manual_seed(1)
    torch.set_num_threads(job["threads"])
    model = GPT(job["vocabulary"], job["context"], job["width"], job["layers"], job["heads"])
    forward = torch.compile(model) if job["compile"] else model
    optimizer = make_optimizer(model)
    shape = (job["batch"], job["context"])
    ids = torch.randint(job["vocabulary"], shape)
    targets = torch.randint(job["vocabulary"], shape)
    bfloat16 = job["precision"] == "bfloat16"
    return lambda: train_step(model, forward, optimizer, ids, targets, bfloat16).item()
