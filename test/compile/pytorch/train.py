"""Trains small models with PyTorch and writes what comes out, for training.test.ts to compare with.

    OPENBLAS_NUM_THREADS=1 python3 test/compile/pytorch/train.py [model ...]

Made with PyTorch 1.13. For each model of MODELS: vectors/MODEL.onnx, the forward model with its initial weights, and
vectors/MODEL.data.safetensors, the samples. For each case of the model: vectors/MODEL.CASE.safetensors, with the loss of every step
and all parameters after the last one; its metadata holds the `training` section of the task file that says the same.

The models train in float64 from float32 initial weights, so the vectors are the truth up to 1e-7. Step s takes rows
s * BATCH … of the samples, and starts again behind the last one.

To add a model: a function that returns its module, its samples by field, and its cases.
"""

import copy
import json
import math
import pathlib
import struct
import sys

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "vectors"
STEPS, BATCH, SAMPLES, SEED = 50, 8, 40, 1


def write_safetensors(path, tensors, metadata):
    header, data, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        dtype = "I32" if tensor.dtype in (torch.int64, torch.int32) else "F32"
        array = tensor.detach().to(torch.int32 if dtype == "I32" else torch.float32).contiguous().numpy()
        payload = array.tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, offset + len(payload)]}
        offset += len(payload)
        data.append(payload)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), rate = group["betas"], group["lr"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = (beta1 * m + (1 - beta1) * p.grad).sign()
                p.mul_(1 - rate * group["weight_decay"]).add_(update, alpha=-rate)
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011)."""
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = (
            (second >> 32) ^ counter[1] ^ key[0],
            second & 0xFFFFFFFF,
            (first >> 32) ^ counter[3] ^ key[1],
            first & 0xFFFFFFFF,
        )
        key = ((key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF)
    return counter


class Adapted(nn.Module):
    """A Linear layer with a low-rank adapter, whose first values are those of docs/numerics.md, section 2.11."""

    def __init__(self, base, rank, alpha, index):
        super().__init__()
        inputs, outputs = base.in_features, base.out_features
        self.base, self.scale = base, alpha / rank
        self.lora_A = nn.Linear(inputs, rank, bias=False).double()
        self.lora_B = nn.Linear(rank, outputs, bias=False).double()
        words = [philox((i // 4, index, 0, 2), (SEED, 0))[i % 4] for i in range(rank * inputs)]
        first = torch.tensor([((word >> 8) * 2.0**-23 - 1) / math.sqrt(inputs) for word in words], dtype=torch.float64)
        with torch.no_grad():
            self.lora_A.weight.copy_(first.float().reshape(rank, inputs))
            self.lora_B.weight.zero_()

    def forward(self, x):
        return self.base(x) + self.scale * self.lora_B(self.lora_A(x))


def add_adapters(model, rank, alpha, targets):
    index = 0
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.Linear) and any(matches(f"{name}.weight", target) for target in targets):
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, Adapted(layer, rank, alpha, index))
            index += 2


def optimizer_of(model, settings, rate):
    options = dict(settings)
    kind, decay = options.pop("kind"), options.pop("weightDecay", 0)
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    groups = options.pop("groups", [])
    sets = []
    for name, p in named:
        group = next((g for g in groups if any(matches(name, pattern) for pattern in g["match"])), {})
        usual = decay if p.dim() >= 2 else 0
        sets.append(
            {"params": [p], "weight_decay": group.get("weightDecay", usual), "lr": rate * group.get("rate", 1)}
        )
    if kind == "sgd":
        return torch.optim.SGD(sets, lr=rate, momentum=options.get("momentum", 0), nesterov=options.get("nesterov", False))
    betas = (options["beta1"], options["beta2"])
    if kind == "lion":
        return Lion(sets, rate, betas, 0)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind](sets, lr=rate, betas=betas, eps=options["epsilon"])


def matches(name, pattern):
    import fnmatch

    return fnmatch.fnmatchcase(name, pattern)


def scheduler_of(optimizer, rate):
    kind, warmup = rate["kind"], rate.get("warmup", 0)
    scheduler = torch.optim.lr_scheduler
    if warmup == 0 and kind == "cosine":
        assert len({group["lr"] for group in optimizer.param_groups}) == 1
        return scheduler.CosineAnnealingLR(optimizer, STEPS - 1, eta_min=rate["peak"] * rate["final"])
    if warmup == 0 and kind == "step":
        return scheduler.StepLR(optimizer, rate["every"], rate["factor"])
    if warmup == 0 and kind == "linear":
        return scheduler.LinearLR(optimizer, 1, rate["final"], STEPS - 1)
    if kind == "cosine":

        def cosine(step):
            if step < warmup:
                return (step + 1) / warmup
            progress = (step - warmup) / (STEPS - 1 - warmup)
            return rate["final"] + (1 - rate["final"]) * (1 + math.cos(math.pi * progress)) / 2

        return scheduler.LambdaLR(optimizer, cosine)
    return scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / warmup) if warmup else 1)


def loss_of(settings):
    kind = settings["kind"]
    if kind == "softmaxCrossEntropy":
        loss = nn.CrossEntropyLoss(label_smoothing=settings.get("smoothing", 0), ignore_index=settings.get("ignore", -100))
        return lambda y, t: loss(y.flatten(0, -2), t.flatten())
    if kind == "meanSquaredError":
        return lambda y, t: nn.functional.mse_loss(y, t.reshape(y.shape))
    return lambda y, t: nn.functional.binary_cross_entropy_with_logits(y, t.reshape(y.shape))


def keep_population_variance(norm):
    """ONNX's running variance is that of the population, PyTorch's the unbiased one."""

    def before(module, inputs):
        module.variance_before = module.running_var.clone()

    def after(module, inputs, output):
        count = inputs[0].numel() / inputs[0].shape[1]
        kept = (1 - module.momentum) * module.variance_before
        module.running_var = kept + (module.running_var - kept) * (count - 1) / count

    norm.register_forward_pre_hook(before)
    norm.register_forward_hook(after)


def train(model, samples, training):
    model = copy.deepcopy(model).double().train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            keep_population_variance(module)
    if "lora" in training:
        add_adapters(model, **training["lora"])
        training = {"train": ["*lora_*"], **training}
    for name, p in model.named_parameters():
        wanted = any(matches(name, pattern) for pattern in training.get("train", ["*"]))
        p.requires_grad = wanted and not any(matches(name, pattern) for pattern in training.get("freeze", []))
    optimizer = optimizer_of(model, training["optimizer"], training["rate"]["peak"])
    scheduler = scheduler_of(optimizer, training["rate"])
    loss_function = loss_of(training["loss"])
    fields = {name: t.double() if t.is_floating_point() else t for name, t in samples.items()}
    inputs = [name for name in fields if name != "target"]
    micro_batches, losses = training.get("accumulate", 1), []
    for step in range(STEPS):
        optimizer.zero_grad()
        total = 0
        for rows in (torch.arange(step * BATCH, (step + 1) * BATCH) % SAMPLES).chunk(micro_batches):
            loss = loss_function(model(*(fields[name][rows] for name in inputs)), fields["target"][rows]) / micro_batches
            loss.backward()
            total += loss.item()
        trained = [p for p in model.parameters() if p.requires_grad]
        clip = training.get("clip", {})
        if "norm" in clip:
            nn.utils.clip_grad_norm_(trained, clip["norm"])
        if "value" in clip:
            nn.utils.clip_grad_value_(trained, clip["value"])
        optimizer.step()
        scheduler.step()
        losses.append(total)
    return model, torch.tensor(losses)


def write_model(name, build):
    torch.manual_seed(7)
    model, samples, cases = build()
    inputs = [field for field in samples if field != "target"]
    export(model, name, [samples[field][:BATCH] for field in inputs], inputs)
    write_safetensors(
        FOLDER / f"{name}.data.safetensors", {field: t.reshape(SAMPLES, -1) for field, t in samples.items()}, {}
    )
    for case, changes in cases.items():
        training = {"optimizer": ADAMW, "rate": {"kind": "constant", "peak": 0.01}, **changes}
        trained, losses = train(model, samples, training)
        kept = {name for name, p in trained.named_parameters() if not p.requires_grad}
        parameters = {key: t for key, t in trained.state_dict().items() if t.is_floating_point() and key not in kept}
        tensors = {"losses": losses, **parameters}
        write_safetensors(FOLDER / f"{name}.{case}.safetensors", tensors, {"training": json.dumps(training)})
        print(name, case, losses[0].item(), losses[-1].item())


def export(module, name, arguments, inputs):
    """Running statistics move while the exporter traces the module, and the file has them as they are then: so has the module."""
    torch.onnx.export(
        module.train(),
        tuple(arguments),
        str(FOLDER / f"{name}.onnx"),
        opset_version=17,
        training=torch.onnx.TrainingMode.TRAINING,
        do_constant_folding=False,
        input_names=inputs,
        output_names=["output"],
        dynamic_axes={field: {0: "batch"} for field in [*inputs, "output"]},
    )


def train_gan(generator, discriminator, samples, training):
    """The loop of PyTorch's DCGAN example, on noise that is a field of the samples."""
    networks = {"generator": generator, "discriminator": discriminator}
    networks = {name: copy.deepcopy(network).double().train() for name, network in networks.items()}
    generator, discriminator = networks.values()
    optimizers = {
        name: optimizer_of(network, training[name]["optimizer"], training[name]["rate"]["peak"])
        for name, network in networks.items()
    }
    loss_function, losses = nn.BCEWithLogitsLoss(), []
    for step in range(STEPS):
        rows = torch.arange(step * BATCH, (step + 1) * BATCH) % SAMPLES
        ones, zeros = torch.ones(BATCH, 1).double(), torch.zeros(BATCH, 1).double()
        fake = generator(samples["noise"][rows].double())
        optimizers["discriminator"].zero_grad()
        real_loss = loss_function(discriminator(samples["input"][rows].double()), ones)
        fake_loss = loss_function(discriminator(fake.detach()), zeros)
        (real_loss + fake_loss).backward()
        # The generator's gradient is taken before the update where both learn together.
        if training.get("updates") != "together":
            optimizers["discriminator"].step()
            optimizers["generator"].zero_grad()
            maker_loss = loss_function(discriminator(fake), ones)
            maker_loss.backward()
        else:
            kept = [p.grad.clone() for p in discriminator.parameters()]
            optimizers["generator"].zero_grad()
            maker_loss = loss_function(discriminator(fake), ones)
            maker_loss.backward()
            for p, gradient in zip(discriminator.parameters(), kept):
                p.grad = gradient
            optimizers["discriminator"].step()
        optimizers["generator"].step()
        losses.append((real_loss + fake_loss + maker_loss).item())
    return networks, torch.tensor(losses)


def write_gan():
    torch.manual_seed(7)
    generator = nn.Sequential(nn.Linear(3, 10), nn.Tanh(), nn.Linear(10, 4))
    discriminator = nn.Sequential(nn.Linear(4, 10), nn.Tanh(), nn.Linear(10, 1))
    samples = {"input": torch.randn(SAMPLES, 4) * 0.5 + 1, "noise": torch.randn(SAMPLES, 3)}
    export(generator, "gan", [samples["noise"][:BATCH]], ["noise"])
    export(discriminator, "gan-discriminator", [samples["input"][:BATCH]], ["sample"])
    write_safetensors(FOLDER / "gan.data.safetensors", samples, {})
    network = {"optimizer": {**ADAM, "beta1": 0.5}, "rate": {"kind": "constant", "peak": 0.005}}
    sgd = {"optimizer": {"kind": "sgd", "momentum": 0.5}, "rate": {"kind": "constant", "peak": 0.05}}
    for case, changes in {"first": {}, "together": {"updates": "together"}}.items():
        training = {"kind": "gan", "generator": network, "discriminator": sgd, **changes}
        networks, losses = train_gan(generator, discriminator, samples, training)
        parameters = {f"{name}.{key}": t for name, each in networks.items() for key, t in each.state_dict().items()}
        metadata = {"training": json.dumps(training)}
        write_safetensors(FOLDER / f"gan.{case}.safetensors", {"losses": losses, **parameters}, metadata)
        print("gan", case, losses[0].item(), losses[-1].item())


ADAMW = {"kind": "adamw", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.05}
ADAM = {"kind": "adam", "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8}
LION = {"kind": "lion", "beta1": 0.9, "beta2": 0.99, "weightDecay": 0.1}
CROSS_ENTROPY = {"kind": "softmaxCrossEntropy"}


def mlp(outputs, hidden=12, inputs=6):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, outputs))


def classifier():
    x = torch.randn(SAMPLES, 6)
    target = (x @ torch.randn(6, 5)).argmax(1)
    with_loss = {"loss": CROSS_ENTROPY}
    sgd = {"kind": "sgd", "momentum": 0.9, "weightDecay": 0.01}
    cases = {
        "adamw": {**with_loss},
        "adam": {**with_loss, "optimizer": ADAM},
        "adam-l2": {**with_loss, "optimizer": {**ADAM, "weightDecay": 0.1}},
        "lion": {**with_loss, "optimizer": LION, "rate": {"kind": "constant", "peak": 0.003}},
        "sgd": {**with_loss, "optimizer": {"kind": "sgd"}, "rate": {"kind": "constant", "peak": 0.5}},
        "momentum": {**with_loss, "optimizer": sgd, "rate": {"kind": "constant", "peak": 0.05}},
        "nesterov": {**with_loss, "optimizer": {**sgd, "nesterov": True}, "rate": {"kind": "constant", "peak": 0.05}},
        "groups": {
            **with_loss,
            "optimizer": {
                **sgd,
                "groups": [{"match": ["*.bias"], "weightDecay": 0.1, "rate": 0.5}, {"match": ["2.*"], "weightDecay": 0}],
            },
            "rate": {"kind": "constant", "peak": 0.05},
        },
        "smoothing": {"loss": {**CROSS_ENTROPY, "smoothing": 0.1}},
        "norm": {**with_loss, "clip": {"norm": 0.1}, "optimizer": sgd, "rate": {"kind": "constant", "peak": 0.5}},
        "value": {**with_loss, "clip": {"value": 0.01}, "optimizer": sgd, "rate": {"kind": "constant", "peak": 0.5}},
        "accumulate": {**with_loss, "accumulate": 4, "clip": {"norm": 0.5}},
        "freeze": {**with_loss, "freeze": ["0.weight"]},
        "train": {**with_loss, "train": ["2.*"]},
        "lora": {**with_loss, "lora": {"rank": 2, "alpha": 4, "targets": ["*.weight"]}},
        "cosine": {**with_loss, "rate": {"kind": "cosine", "peak": 0.02, "warmup": 10, "final": 0.1}},
        "annealing": {**with_loss, "rate": {"kind": "cosine", "peak": 0.02, "final": 0.1}},
        "linear": {**with_loss, "rate": {"kind": "linear", "peak": 0.02, "final": 0.1}},
        "step": {**with_loss, "rate": {"kind": "step", "peak": 0.02, "every": 15, "factor": 0.3}},
        "warmup": {**with_loss, "rate": {"kind": "constant", "peak": 0.02, "warmup": 20}},
    }
    return mlp(5), {"input": x, "target": target}, cases


def regressor():
    x = torch.randn(SAMPLES, 6)
    target = torch.sin(x @ torch.randn(6, 3))
    return mlp(3), {"input": x, "target": target}, {"adamw": {"loss": {"kind": "meanSquaredError"}}}


def detector():
    x = torch.randn(SAMPLES, 6)
    target = (x @ torch.randn(6, 4) > 0).float()
    cases = {
        "adamw": {"loss": {"kind": "binaryCrossEntropy"}},
        "accumulate": {"loss": {"kind": "binaryCrossEntropy"}, "accumulate": 2},
    }
    return mlp(4), {"input": x, "target": target}, cases


def tagger():
    """One class for each position of a sequence; some positions do not count."""
    tokens = torch.randint(0, 9, (SAMPLES, 7))
    target = (tokens + tokens.roll(1, 1)) % 6
    target[torch.rand(target.shape) < 0.3] = -100
    model = nn.Sequential(nn.Embedding(9, 8), nn.Linear(8, 12), nn.Tanh(), nn.Linear(12, 6))
    loss = {**CROSS_ENTROPY, "ignore": -100}
    cases = {"ignore": {"loss": loss}, "accumulate": {"loss": {**loss, "smoothing": 0.2}, "accumulate": 2}}
    return model, {"input": tokens, "target": target}, cases


def adapted():
    """A layer that is applied to every position, so that the exporter writes Transpose and MatMul; it gets an adapter."""
    tokens = torch.randint(0, 9, (SAMPLES, 7))
    target = (tokens + tokens.roll(1, 1)) % 6
    model = nn.Sequential(nn.Embedding(9, 8), nn.Linear(8, 12), nn.Tanh(), nn.Linear(12, 6))
    cases = {"lora": {"loss": CROSS_ENTROPY, "lora": {"rank": 2, "alpha": 8, "targets": ["1.weight"]}}}
    return model, {"input": tokens, "target": target}, cases


def images(side, classes):
    """Noisy images with a bright row or column, whose place is the class."""
    target = torch.arange(SAMPLES) % classes
    x = torch.rand(SAMPLES, 1, side, side) * 0.7
    for image, place in zip(x, target.tolist()):
        (image[0] if place % 2 == 0 else image[0].t())[1 + place // 2] += 0.5
    return {"input": x, "target": target}


def lenet():
    model = nn.Sequential(
        *(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.MaxPool2d(2, padding=1), nn.Flatten()),
        *(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 6)),
    )
    return model, images(8, 6), {"adamw": {"loss": CROSS_ENTROPY}}


class Block(nn.Module):
    """The basic block of ResNet; the shortcut is a convolution where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.shortcut(x))


def resnet():
    model = nn.Sequential(
        *(nn.Conv2d(1, 3, 3, 1, 1, bias=False), nn.BatchNorm2d(3), nn.ReLU()),
        *(Block(3, 3, 1), Block(3, 4, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4)),
    )
    sgd = {"kind": "sgd", "momentum": 0.9, "weightDecay": 0.001}
    cases = {
        "adamw": {"loss": CROSS_ENTROPY, "rate": {"kind": "constant", "peak": 0.005}},
        "momentum": {"loss": CROSS_ENTROPY, "optimizer": sgd, "rate": {"kind": "constant", "peak": 0.02}},
        "accumulate": {"loss": CROSS_ENTROPY, "accumulate": 2, "rate": {"kind": "constant", "peak": 0.005}},
    }
    return model, images(6, 4), cases


class DecoderBlock(nn.Module):
    """A block of a decoder, normalised before its parts as GPT-2's."""

    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.register_buffer("future", torch.ones(1, 1, context, context).tril() == 0)

    def forward(self, x):
        batch, context, width = x.shape
        shape = (batch, context, self.heads, width // self.heads)
        q, k, v = (part.view(shape).transpose(1, 2) for part in self.attention(self.norm1(x)).split(width, dim=2))
        scores = (q @ k.transpose(2, 3)) / math.sqrt(width // self.heads)
        weights = scores.masked_fill(self.future, float("-inf")).softmax(3)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(batch, context, width))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, vocabulary, width, heads, layers, context):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(DecoderBlock(width, heads, context) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        positions = torch.arange(tokens.shape[1])
        return self.head(self.norm(self.blocks(self.tokens(tokens) + self.positions(positions))))


def gpt():
    tokens = torch.randint(0, 9, (SAMPLES, 6))
    target = (tokens + tokens.roll(1, 1)) % 9
    cosine = {"kind": "cosine", "peak": 0.01, "warmup": 5, "final": 0.1}
    cases = {
        # Keys' biases have the gradient 0, and without some epsilon Adam would divide its rounding errors by themselves.
        "adamw": {
            "loss": CROSS_ENTROPY,
            "optimizer": {**ADAMW, "beta2": 0.95, "epsilon": 1e-3},
            "rate": cosine,
            "clip": {"norm": 1},
        },
        "lora": {
            "loss": CROSS_ENTROPY,
            "lora": {"rank": 2, "alpha": 4, "targets": ["blocks.*.attention.weight", "head.weight"]},
        },
    }
    return Gpt(9, 8, 2, 2, 6), {"input": tokens, "target": target}, cases


def autoencoder():
    """Strided, depthwise and transposed convolutions, group and instance normalisation, upsampling; the image is its own target."""
    model = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, 2, 1), nn.GroupNorm(2, 4), nn.ReLU()),
        *(nn.Conv2d(4, 4, 3, 1, 2, dilation=2, groups=4), nn.Conv2d(4, 6, 1), nn.Tanh()),
        *(nn.AvgPool2d(3, 2, 1), nn.Conv2d(6, 8, 1), nn.PixelShuffle(2), nn.InstanceNorm2d(2, affine=True)),
        *(nn.ConvTranspose2d(2, 3, 4, 2, 1), nn.Tanh(), nn.Upsample(scale_factor=2), nn.MaxPool2d(2), nn.Conv2d(3, 1, 1)),
    )
    x = images(8, 6)["input"]
    return model, {"input": x, "target": x}, {"adamw": {"loss": {"kind": "meanSquaredError"}}}


MODELS = {
    build.__name__: build
    for build in (classifier, regressor, detector, tagger, adapted, lenet, resnet, autoencoder, gpt)
}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or [*MODELS, "gan"]:
        if name == "gan":
            write_gan()
        else:
            write_model(name, MODELS[name])
