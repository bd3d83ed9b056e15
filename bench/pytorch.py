"""A network's training in PyTorch: reads one JSON line with what it is, then one a round; answers each with the losses."""
import base64
import json
import math
import sys

import torch
import torch.nn.functional as F


def tensor(text, dtype, shape):
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=dtype).reshape(shape).clone()


def linear(x, p, name):
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def mlp(p, architecture, tokens):
    x = F.embedding(tokens, p["embedding.weight"]).flatten(1)
    for layer in range(1, architecture["hidden"] + 1):
        x = torch.tanh(linear(x, p, f"fc{layer}"))
    return linear(x, p, f"fc{architecture['hidden'] + 1}")


def cnn(p, architecture, images):
    side = architecture["side"]
    x = images.reshape(-1, 1, side, side)
    for name in ("conv1", "conv2"):
        x = F.max_pool2d(F.relu(F.conv2d(x, p[name + ".weight"], p[name + ".bias"], padding=1)), 2)
    return linear(F.relu(linear(x.flatten(1), p, "fc1")), p, "fc2")


def gpt(p, architecture, tokens):
    heads, context = architecture["heads"], architecture["context"]
    x = F.embedding(tokens, p["wte"]) + p["wpe"]
    batch, _, width = x.shape
    mask = torch.full((context, context), -1e4).triu(1)
    norm = lambda x, name: F.layer_norm(x, (width,), p[name + ".weight"], p[name + ".bias"])
    for layer in range(architecture["layers"]):
        at = f"h{layer}."
        parts = linear(norm(x, at + "ln1"), p, at + "qkv").split(width, dim=2)
        q, k, v = (part.reshape(batch, context, heads, width // heads).transpose(1, 2) for part in parts)
        weights = F.softmax(q @ k.transpose(2, 3) / math.sqrt(width // heads) + mask, dim=-1)
        x = x + linear((weights @ v).transpose(1, 2).reshape(batch, context, width), p, at + "proj")
        x = x + linear(F.gelu(linear(norm(x, at + "ln2"), p, at + "fc")), p, at + "out")
    return linear(norm(x, "ln"), p, "head")


def adamw(parameters, options):
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": options["weightDecay"]},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(options["beta1"], options["beta2"]), eps=options["epsilon"])


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    settings = json.loads(sys.stdin.readline())
    torch.set_num_threads(settings["threads"])
    architecture, batch = settings["architecture"], settings["batch"]
    network = {"mlp": mlp, "cnn": cnn, "gpt": gpt}[architecture["kind"]]
    inputs = torch.float32 if architecture["kind"] == "cnn" else torch.int32
    parameters = {p["name"]: tensor(p["values"], torch.float32, p["shape"]).requires_grad_() for p in settings["parameters"]}
    optimizer = adamw(list(parameters.values()), settings["optimizer"])
    answer("ready")
    for line in sys.stdin:
        losses = []
        for step in json.loads(line):
            values = tensor(step["input"], inputs, (batch, -1))
            targets = tensor(step["targets"], torch.int32, (-1,)).long()
            for group in optimizer.param_groups:
                group["lr"] = step["rate"]
            optimizer.zero_grad(set_to_none=True)
            logits = network(parameters, architecture, values)
            loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        answer(losses)


main()
