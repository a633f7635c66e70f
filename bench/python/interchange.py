"""PyTorch's side of bench/interchange.mjs: makes a GPT-2 with random weights, reads it, evaluates it, trains it. One task a process."""

import json
import sys
import time

import torch
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel


def make(job):
    """A model whose weights are lively enough for its logits to say something, saved as transformers save it."""
    torch.manual_seed(1)
    model = GPT2LMHeadModel(GPT2Config(**job["shape"]))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
            else:
                parameter.mul_(3)
    model.to(getattr(torch, job["type"])).save_pretrained(job["folder"], max_shard_size=job["shard"])
    return {}


def load(job):
    return GPT2LMHeadModel.from_pretrained(job["folder"], dtype=torch.float32).eval()


def logits(job):
    """All logits of a text, and the tokens that are likeliest one after the other."""
    model = load(job)
    ids = torch.tensor([job["ids"]])
    with torch.inference_mode():
        rows = model(ids).logits[0]
        written = model.generate(
            torch.tensor([job["prompt"]]), max_new_tokens=job["tokens"], do_sample=False, pad_token_id=0, eos_token_id=None
        )
    with open(job["out"], "wb") as file:
        file.write(rows.numpy().tobytes())
    return {"greedy": written[0, len(job["prompt"]) :].tolist()}


def evaluate(job):
    """Mean loss of windows of whole contexts, one at a time."""
    model = load(job)
    T = model.config.n_positions
    total = count = 0
    with torch.inference_mode():
        for start in range(0, len(job["ids"]) - 1, T):
            piece = torch.tensor([job["ids"][start : start + T + 1]])
            rows = model(piece[:, :-1]).logits[0]
            total += F.cross_entropy(rows, piece[0, 1:], reduction="sum").item()
            count += piece.shape[1] - 1
    return {"nats": total / count}


def tune(job):
    """Steps of AdamW on windows drawn from a text, then a checkpoint of weights and moments."""
    model = load(job).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-5, weight_decay=0.01)
    ids = torch.tensor(job["ids"])
    B, T = job["batch"], job["context"]
    torch.manual_seed(1)
    began = time.perf_counter()
    for _ in range(job["steps"]):
        windows = torch.stack([ids[at : at + T + 1] for at in torch.randint(len(ids) - T - 1, (B,)).tolist()])
        rows = model(windows[:, :-1]).logits
        loss = F.cross_entropy(rows.flatten(0, 1), windows[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
    seconds = time.perf_counter() - began
    model.save_pretrained(job["out"])
    return {"loss": loss.item(), "secondsPerStep": seconds / job["steps"]}


job = json.loads(open(sys.argv[1]).read())
torch.set_num_threads(job["threads"])
print(json.dumps({"make": make, "logits": logits, "evaluate": evaluate, "tune": tune}[job["task"]](job)))
