"""One token of a text with a cache of keys and values: the model of gpt.py, read a token at a time, and a token drawn from the 40 likeliest."""

import torch
from torch.nn import functional as F

from gpt import GPT


class Writer:
    """A text of fixed room. Keys and values of all layers are made once and written in place."""

    def __init__(self, model, heads, prompt, tokens):
        self.model = model
        self.prompt = prompt
        self.room = len(prompt) + tokens
        width = model.tokens.weight.shape[1]
        shape = (1, heads, self.room, width // heads)
        kind = model.tokens.weight.dtype
        self.cache = [(torch.zeros(shape, dtype=kind), torch.zeros(shape, dtype=kind)) for _ in model.blocks]
        self.ids = list(prompt)
        self.read = 0

    def attend(self, block, x, keys, values, start):
        _, T, E = x.shape
        q, k, v = (part.view(1, T, block.heads, E // block.heads).transpose(1, 2) for part in block.qkv(x).split(E, dim=2))
        keys[:, :, start : start + T] = k
        values[:, :, start : start + T] = v
        seen = start + T
        mixed = F.scaled_dot_product_attention(q, keys[:, :, :seen], values[:, :, :seen], is_causal=T > 1)
        return block.output(mixed.transpose(1, 2).reshape(1, T, E))

    def logits(self):
        start, T = self.read, len(self.ids) - self.read
        new = torch.tensor(self.ids[start:])[None]
        x = self.model.tokens(new) + self.model.positions(torch.arange(start, start + T))
        for block, (keys, values) in zip(self.model.blocks, self.cache):
            x = x + self.attend(block, block.attention_norm(x), keys, values, start)
            x = x + block.contract(F.gelu(block.expand(block.feed_forward_norm(x)), approximate="tanh"))
        self.read = len(self.ids)
        return F.linear(self.model.norm(x[:, -1]), self.model.tokens.weight)[0]

    def step(self):
        if len(self.ids) == self.room:
            self.ids = list(self.prompt)
            self.read = len(self.prompt) - 1
        best, ids = torch.topk(self.logits().float() / 0.8, min(40, self.model.tokens.weight.shape[0]))
        self.ids.append(ids[torch.multinomial(F.softmax(best, dim=-1), 1)].item())


def prepare(job):
    torch.manual_seed(1)
    torch.set_num_threads(job["threads"])
    model = GPT(job["vocabulary"], job["context"], job["width"], job["layers"], job["heads"]).eval()
    if job["precision"] == "bfloat16":
        model = model.to(torch.bfloat16)
    prompt = torch.randint(job["vocabulary"], (job["prompt"],)).tolist()
    writer = Writer(model, job["heads"], prompt, job["tokens"])

    def step():
        with torch.inference_mode():
            writer.step()

    return step
