"""Looking at somebody's network before it is loaded: literal operations, bounded sizes, shapes.

OpenVINO's format (IR) is an XML file that lists layers, and a file of numbers beside it. The XML is
parsed with expat as a stream; a document type, and with it every entity, is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from tellapart.errors import ModelError

OPERATIONS = (  # of the networks that backbones/ builds and converts
    # of the embedded ones
    "Add",
    "Clamp",
    "Const",
    "Convert",
    "Convolution",
    "GroupConvolution",
    "Multiply",
    "Parameter",
    "ReduceMean",
    "Result",
    "Subtract",
    "Transpose",
    # of int8 ones
    "FakeQuantize",
    # resnet, regnet, densenet
    "AvgPool",
    "MaxPool",
    "ReLU",
    "Reshape",
    # efficientnet, mobilenet
    "HSigmoid",
    "HSwish",
    "Sigmoid",
    "Swish",
    # padding as TensorFlow does
    "Ceiling",
    "Concat",
    "Divide",
    "Floor",
    "Gather",
    "Maximum",
    "Minimum",
    "Pad",
    "ShapeOf",
    "Split",
    "Squeeze",
    "StridedSlice",
    "Unsqueeze",
    # convnext
    "Gelu",
    "MVN",
    "ReduceL2",
    "ReduceSum",
    "Sqrt",
    # vit, beit, deit, dinov2, siglip
    "Broadcast",
    "Interpolate",
    "MatMul",
    "ScaledDotProductAttention",
    "SoftMax",
    "Tanh",
    "Tile",
    # swin, eva
    "Cos",
    "Equal",
    "FloorMod",
    "Greater",
    "Mod",
    "NotEqual",
    "Power",
    "Range",
    "ReduceProd",
    "Roll",
    "ScatterNDUpdate",
    "Select",
    "Sin",
    "Slice",
    "VariadicSplit",
    # maxvit, coatnet; poolformer, edgenext
    "BitwiseNot",
    "CumSum",
    "Einsum",
    "GroupNormalization",
)
MOST_XML_BYTES = 64_000_000
MOST_BIN_BYTES = 8_000_000_000
MOST_LAYERS = 20_000
MOST_ELEMENTS = 2**31  # of one tensor, for one picture


@dataclass
class _Layer:
    operation: str
    data: dict[str, str] = field(default_factory=dict)
    ports: list[list[int]] = field(default_factory=list)


class _Refused(Exception):
    pass


def check_network(xml: Path, *, size: int, features: int, bands: int = 3) -> None:
    """Raise ModelError, in one line, unless `xml` is a network like those tellapart writes.

    It must take one uint8 [?, size, size, bands] and return one float32 [?, features], hold only
    operations of OPERATIONS, and its numbers must stand inside the .bin file beside it.
    """
    try:
        numbers = _file_size(xml.with_suffix(".bin"), MOST_BIN_BYTES)
        _file_size(xml, MOST_XML_BYTES)
        layers = _read_layers(xml.read_bytes())
        for layer in layers:
            _check_layer(layer, numbers)
        _check_ends(layers, [-1, size, size, bands], features)
    except (_Refused, expat.ExpatError, ValueError, KeyError) as problem:
        reason = f"it lacks {problem}" if isinstance(problem, KeyError) else problem
        raise ModelError(f"{xml} is no network of tellapart: {reason}; get the model again") from (
            problem
        )
    except OSError as problem:
        raise ModelError(f"cannot read {problem.filename}: {problem.strerror}") from problem


def _file_size(path: Path, most: int) -> int:
    size = path.stat().st_size
    if size > most:
        raise _Refused(f"{path.name} is larger than {most:,} bytes")
    return size


def _read_layers(content: bytes) -> list[_Layer]:
    layers: list[_Layer] = []
    number: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "layer":
            if len(layers) >= MOST_LAYERS:
                raise _Refused(f"it has more than {MOST_LAYERS:,} layers")
            layers.append(_Layer(attributes["type"]))
        elif name == "data" and layers:
            layers[-1].data.update(attributes)
        elif name == "port" and layers:
            layers[-1].ports.append([])
        elif name == "dim":
            number.clear()

    def end(name: str) -> None:
        if name == "dim" and layers and layers[-1].ports:
            layers[-1].ports[-1].append(int("".join(number)))

    def refuse(*_: object) -> None:
        raise _Refused("it declares a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = number.append
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(content, True)
    return layers


def _check_layer(layer: _Layer, numbers: int) -> None:
    if layer.operation not in OPERATIONS:
        raise _Refused(f"the operation {layer.operation!r} is not among those it may use")
    for port in layer.ports:
        if any(side < -1 for side in port) or math.prod(max(side, 1) for side in port) > (
            MOST_ELEMENTS
        ):
            raise _Refused(f"a tensor of shape {port} is too large")
    if layer.operation == "Const":
        offset, size = int(layer.data["offset"]), int(layer.data["size"])
        if offset < 0 or size < 0 or offset + size > numbers:
            raise _Refused("its numbers reach past the end of the .bin file")


def _check_ends(layers: list[_Layer], shape: list[int], features: int) -> None:
    inputs = [one for one in layers if one.operation == "Parameter"]
    outputs = [one for one in layers if one.operation == "Result"]
    if len(inputs) != 1 or len(outputs) != 1:
        raise _Refused("it must have one input and one output")
    if inputs[0].data["element_type"] != "u8" or inputs[0].ports != [shape]:
        raise _Refused(f"its input is not uint8 [?, {', '.join(map(str, shape[1:]))}]")
    if outputs[0].ports != [[-1, features]]:
        raise _Refused(f"its output is not [?, {features}]")
