"""Depthwise convolutions whose backward pass is fast on a CPU, with the same gradients.

torch's own backward pass of a depthwise convolution in bfloat16 falls into slow kernels on CPUs:
with a 5 x 5 kernel or a stride of 2 it costs five to fifteen times what follows (AMD EPYC with
avx512_bf16, one thread, torch 2.13: 480 x 12 x 12 with 5 x 5, 26 against 5 ms; 672 x 12 x 12 with
a stride of 2 besides, 108 against 9 ms). Both can be built of the fast kernels, exactly:

-   A stride of s is a stride of 1 of which only every s-th output is kept. So the output gradient
    with zeros put between its entries is the gradient of the stride-1 convolution.
-   The data gradient of a stride-1 convolution is a convolution of the padded output gradient with
    the turned kernel: a forward pass.
-   Entry (i, j) of the weight gradient correlates the output gradient with the input shifted by
    (i, j). So the gradient of a 5 x 5 kernel is put together of four 3 x 3 ones, of inputs shifted
    by 0 or 2 in either direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tellapart.optional import need_torch

SIDES = (3, 5)  # of kernels that are served
QUARTER = 3  # the side that torch has a fast kernel for


def speed_up(network: Any) -> int:
    """Let a torch network's depthwise convolutions use `convolve` where it is faster.

    Returns how many do. The network's parameters, their names and its outputs stay as they are.
    """
    served = [module for module in network.modules() if is_served(module)]
    for module in served:
        module.forward = partial(_forward, module)  # a partial is copied with its module
    return len(served)


def is_served(module: Any) -> bool:
    """Whether a torch module is a depthwise convolution that `convolve` is faster for."""
    torch = need_torch()
    return (
        isinstance(module, torch.nn.Conv2d)
        and module.groups == module.in_channels == module.out_channels > 1
        and module.kernel_size in {(side, side) for side in SIDES}
        and module.stride[0] == module.stride[1]
        and (module.kernel_size[0] > QUARTER or module.stride[0] > 1)
        and tuple(module.dilation) == (1, 1)
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
    )


def _forward(module: Any, x: Any) -> Any:
    torch = need_torch()
    side, stride = module.kernel_size[0], module.stride[0]
    if type(module).__name__.endswith("Same"):  # timm's TensorFlow padding: none of its own
        down, across = (_same(length, side, stride) for length in x.shape[-2:])
        pad = (across // 2, across - across // 2, down // 2, down - down // 2)
    else:
        down, across = module.padding
        pad = (across, across, down, down)
    y = convolve(torch.nn.functional.pad(x, pad), module.weight, stride)
    return y if module.bias is None else y + module.bias.reshape(1, -1, 1, 1)


def _same(length: int, side: int, stride: int) -> int:
    """Return the padding, before and after together, of TensorFlow's "same" convolution."""
    return max((-(-length // stride) - 1) * stride + side - length, 0)


def convolve(x: Any, weight: Any, stride: int) -> Any:
    """Return the depthwise convolution of x [b, c, h, w], padded already, with weight [c, 1, s, s].

    In bfloat16 on a CPU with the fast backward pass; elsewhere torch's own is the faster one.
    """
    torch = need_torch()
    if torch.is_autocast_enabled(x.device.type):
        kind = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(kind), weight.to(kind)
    if x.device.type == "cpu" and x.dtype == torch.bfloat16 and weight.requires_grad:
        return convolve_fast(x, weight, stride)
    return torch.nn.functional.conv2d(x, weight, stride=stride, groups=len(weight))


def convolve_fast(x: Any, weight: Any, stride: int) -> Any:
    """Do what `convolve` does, with the fast backward pass, in any type.

    The gradients are torch's own to rounding: within 1e-6 of the largest one in float32.
    """
    return _function().apply(x, weight, stride)


def _function() -> Any:
    """Return the autograd function, made once torch is there."""
    if not _MADE:
        _MADE.append(_make_function())
    return _MADE[0]


_MADE: list[Any] = []  # a class of torch's, which must not be imported with this module


def _make_function() -> Any:
    torch = need_torch()

    Function: Any = torch.autograd.Function

    class Depthwise(Function):  # type: ignore[misc]
        @staticmethod
        def forward(context: Any, x: Any, weight: Any, stride: int) -> Any:
            context.save_for_backward(x, weight)
            context.stride = stride
            return torch.nn.functional.conv2d(x, weight, stride=stride, groups=len(weight))

        @staticmethod
        def backward(context: Any, gradient: Any) -> tuple[Any, Any, None]:
            x, weight = context.saved_tensors
            side = weight.shape[-1]
            whole = _with_zeros(gradient, x, side, context.stride)
            wants_x, wants_weight, _ = context.needs_input_grad
            of_x = _of_input(whole, weight, side) if wants_x else None
            of_weight = _of_weight(whole, x, weight) if wants_weight else None
            return of_x, of_weight, None

    return Depthwise


def _with_zeros(gradient: Any, x: Any, side: int, stride: int) -> Any:
    """Return the output gradient of the same convolution with a stride of 1."""
    if stride == 1:
        return gradient
    torch = need_torch()
    height, width = x.shape[-2] - side + 1, x.shape[-1] - side + 1
    whole = torch.zeros(
        (*gradient.shape[:2], height, width), dtype=gradient.dtype, device=gradient.device
    )
    if gradient.is_contiguous(memory_format=torch.channels_last):
        whole = whole.contiguous(memory_format=torch.channels_last)
    whole[..., ::stride, ::stride] = gradient
    return whole


def _of_input(whole: Any, weight: Any, side: int) -> Any:
    torch = need_torch()
    return torch.nn.functional.conv2d(
        whole, weight.flip(2, 3), padding=side - 1, groups=len(weight)
    )


def _of_weight(whole: Any, x: Any, weight: Any) -> Any:
    torch = need_torch()
    side, height, width = weight.shape[-1], whole.shape[-2] + 2, whole.shape[-1] + 2
    out = torch.empty_like(weight)
    for down, across in _corners(side):
        part = slice(down, down + QUARTER), slice(across, across + QUARTER)
        _, found, _ = torch.ops.aten.convolution_backward(
            whole, x[..., down : down + height, across : across + width],
            weight[..., *part].contiguous(), None, [1, 1], [0, 0], [1, 1], False, [0, 0],
            len(weight), [False, True, False],
        )  # fmt: skip
        out[..., *part] = found
    return out


def _corners(side: int) -> Iterator[tuple[int, int]]:
    """Yield where 3 x 3 kernels start that cover one of `side` x `side`."""
    starts = sorted({0, side - QUARTER})
    return ((down, across) for down in starts for across in starts)
