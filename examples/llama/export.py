"""Writes forward.onnx, a small transformer in Llama's form, with seeded initial weights.

    OPENBLAS_NUM_THREADS=1 python3 examples/llama/export.py

Made with PyTorch 1.13.1. Another text may have another vocabulary: `npm run touchstone -- data examples/llama/task.json` tells its size.
"""

import math
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY, CONTEXT, WIDTH, HEADS, KEY_HEADS, INNER, LAYERS = 90, 48, 48, 4, 2, 96, 2
SIZE = WIDTH // HEADS


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


def rotated(x):
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


class Attention(nn.Module):
    """Rotary positions; each head of keys and values serves HEADS / KEY_HEADS heads of queries."""

    def __init__(self):
        super().__init__()
        self.q, self.o = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.k, self.v = (nn.Linear(WIDTH, KEY_HEADS * SIZE, bias=False) for _ in range(2))

    def forward(self, x, cos, sin, mask):
        b, t, c = x.shape
        q = self.q(x).view(b, t, HEADS, SIZE).transpose(1, 2)
        k, v = (linear(x).view(b, t, KEY_HEADS, SIZE).transpose(1, 2) for linear in (self.k, self.v))
        q, k = q * cos + rotated(q) * sin, k * cos + rotated(k) * sin
        shared = (b, KEY_HEADS, HEADS // KEY_HEADS, t, SIZE)
        k, v = (y[:, :, None].expand(shared).reshape(b, HEADS, t, SIZE) for y in (k, v))
        scores = q @ k.transpose(2, 3) / math.sqrt(SIZE) + mask
        return self.o((F.softmax(scores, dim=-1) @ v).transpose(1, 2).reshape(b, t, c))


class SwiGlu(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.up = nn.Linear(WIDTH, INNER, bias=False), nn.Linear(WIDTH, INNER, bias=False)
        self.down = nn.Linear(INNER, WIDTH, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = RmsNorm(), RmsNorm()
        self.attention, self.feed = Attention(), SwiGlu()

    def forward(self, x, *positions):
        x = x + self.attention(self.norm1(x), *positions)
        return x + self.feed(self.norm2(x))


class Llama(nn.Module):
    """The table of tokens is the head, too."""

    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(VOCABULARY, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = RmsNorm()
        nn.init.normal_(self.token.weight, std=WIDTH**-0.5)

    def forward(self, tokens):
        t = tokens.shape[1]
        frequencies = 1 / 10000 ** (torch.arange(0, SIZE, 2).float() / SIZE)
        angles = torch.outer(torch.arange(t).float(), frequencies)
        angles = torch.cat((angles, angles), dim=-1)
        mask = torch.full((t, t), torch.finfo(torch.float32).min).triu(1)
        x = self.token(tokens)
        for block in self.blocks:
            x = block(x, angles.cos(), angles.sin(), mask)
        return self.norm(x) @ self.token.weight.t()


torch.manual_seed(2026)
torch.onnx.export(
    Llama(),
    torch.zeros(2, CONTEXT, dtype=torch.int64),
    str(pathlib.Path(__file__).parent / "forward.onnx"),
    opset_version=17,
    input_names=["tokens"],
    output_names=["logits"],
    # Else equal initial values become one initializer, and weights are stored transposed under other names.
    training=torch.onnx.TrainingMode.TRAINING,
    do_constant_folding=False,
    dynamic_axes={"tokens": {0: "batch"}, "logits": {0: "batch"}},
)
