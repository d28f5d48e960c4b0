"""Export a trained encoder to ONNX with int8 weights, its heads as floats, so that its numbers stay near those of the float network.

At run time the activations are rounded to 8 bits too, with one scale for a whole tensor, which a few channels of large values
spoil. So each linear layer of the transformer gets weights multiplied, and inputs divided, by a scale for each input channel
(SmoothQuant, Xiao et al. 2023), which brings the error of the scores down by four tenths and costs 5 % of the speed.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import onnx.numpy_helper
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

# How much of the spread goes from the activations into the weights. Mean error of the document scores on 30
# texts (logits): without, and signed 7-bit weights .25; .5 .56; .75 .14; .95 .19.
SMOOTHING = 0.75
# The heads stay floats: their numbers of columns are no multiples of 16, and on processors with AMX the 8-bit products of ONNX Runtime
# 1.23 are then wrong in some rows: of strangers' texts .06 to .20 had a false flag instead of .03, and with two threads other ones in each run.
# They are named as in the network; Gemm_MatMul is what ONNX Runtime makes of a Gemm before it quantizes.
FLOAT_HEADS = ("/query/MatMul", "/tokens/MatMul", "/document/Gemm_MatMul")


class Smoothed(nn.Module):
    """The same linear map, its input divided and its weights multiplied by `scale`, (n_inputs,)."""

    def __init__(self, linear: nn.Linear, scale: torch.Tensor) -> None:
        super().__init__()
        self.linear = nn.Linear(linear.in_features, linear.out_features)
        self.linear.weight.data, self.linear.bias.data = linear.weight.data * scale, linear.bias.data
        self.inverse = nn.Parameter(1 / scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x * self.inverse)


def write_quantized(encoder: nn.Module, texts: Sequence[Sequence[int]], path: Path) -> None:
    """Write `path`, whose input is `input_ids` (1, length) and whose outputs are `document` and `tokens`.

    texts : token ids of texts of the kind that the encoder will read, to see how large its activations get
    """
    whole = path.with_name("float32.onnx")
    torch.onnx.export(
        smoothed(encoder, texts), (torch.randint(5, 1000, (1, 37)),), whole, input_names=["input_ids"], output_names=["document", "tokens"],
        dynamic_axes={"input_ids": {1: "length"}, "tokens": {1: "length"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    # Unsigned weights do not overflow on processors without VNNI, so that these give the same numbers.
    quantize_dynamic(
        whole, path, weight_type=QuantType.QUInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gather"],
        nodes_to_exclude=list(FLOAT_HEADS),
    )  # fmt: skip
    onnx.checker.check_model(str(path))
    whole.unlink()


def smoothed(encoder: nn.Module, texts: Sequence[Sequence[int]]) -> nn.Module:
    """A copy with every linear layer of the transformer smoothed; those that share an input (query, key, value) share the scale."""
    encoder = copy.deepcopy(encoder).eval()
    linears = {name: module for name, module in encoder.named_modules() if isinstance(module, nn.Linear) and name.startswith("layers.")}
    largest = {name: torch.zeros(linear.in_features) for name, linear in linears.items()}

    def look(name: str) -> torch.utils.hooks.RemovableHandle:
        def widen(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            largest[name] = torch.maximum(largest[name], inputs[0].detach().abs().amax((0, 1)))

        return linears[name].register_forward_pre_hook(widen)

    hooks = [look(name) for name in linears]
    with torch.no_grad():
        for ids in texts:
            encoder(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    for name, linear in linears.items():
        parent, _, last = name.rpartition(".")
        together = [linears[f"{parent}.{mate}"] for mate in "qkv"] if last in set("qkv") else [linear]
        weights = torch.stack([mate.weight.detach().abs().amax(0) for mate in together]).amax(0)
        scale = (largest[name].clamp_min(1e-5) ** SMOOTHING / weights.clamp_min(1e-5) ** (1 - SMOOTHING)).clamp(1e-3, 1e3)
        setattr(encoder.get_submodule(parent), last, Smoothed(linear, scale))
    return encoder


def read_quantized(path: Path, like: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of a network that `write_quantized` wrote, as floats under the names of `like`; those that it does not hold are those of `like`.

    A weight is what is left of the trained one after rounding to 8 bits; those of the heads stand as they were.
    """
    graph = onnx.load(str(path)).graph
    stored = {value.name: onnx.numpy_helper.to_array(value) for value in graph.initializer}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    found = {name: torch.tensor(stored[name]) for name in like if name in stored}
    for node in graph.node:
        if node.op_type in ("MatMulInteger", "MatMul") and node.input[1] in stored:
            root = node.input[1].removesuffix("_quantized")
            weight = stored[node.input[1]].astype("float32")
            if node.op_type == "MatMulInteger":
                weight = (weight - stored[f"{root}_zero_point"]) * stored[f"{root}_scale"]
            bias = _bias(node, users, stored)
            layer = bias.replace(".linear.bias", "").removesuffix(".bias")
            if ".linear." in bias:
                inverse = stored.get(f"{layer}.inverse")
                # Query, key and value share theirs, which is stored once.
                weight *= (stored[f"{layer.rpartition('.')[0]}.q.inverse"] if inverse is None else inverse)[:, None]
            found[f"{layer}.weight"], found[f"{layer}.bias"] = torch.tensor(weight.T.copy()), torch.tensor(stored[bias])
    return {name: found.get(name, value) for name, value in like.items()}


def read_trained(path: Path, published: Mapping[str, torch.Tensor], frozen: int) -> dict[str, torch.Tensor]:
    """The weights of a network that `write_quantized` wrote; those of the lowest `frozen` layers, which no training moved, as published."""
    unmoved = tuple(f"layers.{k}." for k in range(frozen))
    return {name: published[name] if name.startswith(unmoved) else value for name, value in read_quantized(path, published).items()}


def _bias(product: onnx.NodeProto, users: Mapping[str, list[onnx.NodeProto]], stored: Mapping[str, object]) -> str:
    """Name of the bias that is added to a product, a few nodes on."""
    node = product
    while not (node.op_type == "Add" and any(name.endswith("bias") and name in stored for name in node.input)):
        (node, *_) = users[node.output[0]]
    return next(name for name in node.input if name.endswith("bias") and name in stored)
