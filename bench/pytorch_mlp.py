"""The example network's training in PyTorch: reads one JSON line with the sizes, then one a round; answers each with the losses."""
import base64
import json
import sys

import torch
from torch import nn


def tensor(text, dtype, shape):
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=dtype).reshape(shape).clone()


def network(parameters):
    values = [tensor(p["values"], torch.float32, p["shape"]) for p in parameters]
    embedding, layers = values[0], values[1:]
    modules = [nn.Embedding.from_pretrained(embedding, freeze=False), nn.Flatten()]
    for at in range(0, len(layers), 2):
        weight, bias = layers[at], layers[at + 1]
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
        modules.append(linear)
        if at + 2 < len(layers):
            modules.append(nn.Tanh())
    return nn.Sequential(*modules)


def adamw(model, options):
    parameters = list(model.parameters())
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
    batch, context = settings["batch"], settings["context"]
    model = network(settings["parameters"])
    optimizer = adamw(model, settings["optimizer"])
    criterion = nn.CrossEntropyLoss()
    answer("ready")
    for line in sys.stdin:
        losses = []
        for step in json.loads(line):
            tokens = tensor(step["tokens"], torch.int32, (batch, context))
            targets = tensor(step["targets"], torch.int32, (batch,)).long()
            for group in optimizer.param_groups:
                group["lr"] = step["rate"]
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(tokens), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        answer(losses)


main()
