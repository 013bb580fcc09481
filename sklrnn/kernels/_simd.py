"""Vectors of float32, as wide as a register of this processor, as values of numba's language.

numba turns a loop into vector instructions only where it can prove that this is allowed. Here nothing has to be proved:
a vector is loaded from an address, computed with, and stored. An address is an int of 64 bits, and offsets are counted
in whole vectors. Every operation propagates NaN.
"""

import operator
import platform
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from llvmlite.binding import get_host_cpu_name
from numba.core.codegen import get_host_cpu_features
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_jitable,
    register_model,
    type_callable,
)

from sklrnn.kernels._arguments import FLOAT_BYTES

Vector = Any  # for mypy; to numba it is a type of its own

# NUMBA_CPU_NAME=generic sets the empty string: a processor without any feature, not one left unnamed.
CPU: str = get_host_cpu_name() if numba.config.CPU_NAME is None else numba.config.CPU_NAME
FEATURES: str = get_host_cpu_features() if numba.config.CPU_FEATURES is None else numba.config.CPU_FEATURES


def _registers() -> tuple[int, int]:
    """How many floats fit in a vector register, and how many registers there are."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return 4, 32
    if "+avx512f" in FEATURES:
        return 16, 32
    return (8, 16) if "+avx2" in FEATURES else (4, 16)


LANES, N_REGISTERS = _registers()
VECTOR_BYTES = FLOAT_BYTES * LANES

_int64 = ir.IntType(64)
_float32 = ir.FloatType()
_vector = ir.VectorType(_float32, LANES)
_bits = ir.VectorType(ir.IntType(32), LANES)
# A product may be added to a sum without rounding in between. Nothing else is relaxed: NaN must stay NaN.
FUSED = ("contract",)


class VectorType(numba.types.Type):
    """numba's type of such a vector."""

    def __init__(self) -> None:
        super().__init__(name=f"float32x{LANES}")


_type = VectorType()


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _vector)


def all_lanes(builder: Any, scalar: Any) -> Any:
    """The same value in each lane."""
    undefined = ir.Constant(_vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(_bits, [0] * LANES))


def constant(value: int) -> Any:
    return ir.Constant(_int64, value)


def pointer(builder: Any, address: Any, n_floats: Any) -> Any:
    return builder.gep(builder.inttoptr(address, _float32.as_pointer()), [n_floats])


def load_vector(builder: Any, address: Any, n_floats: Any) -> Any:
    place = builder.bitcast(pointer(builder, address, n_floats), _vector.as_pointer())
    loaded = builder.load(place, typ=_vector)
    loaded.align = FLOAT_BYTES
    return loaded


def store_vector(builder: Any, address: Any, n_floats: Any, vector: Any) -> None:
    place = builder.bitcast(pointer(builder, address, n_floats), _vector.as_pointer())
    builder.store(vector, place).align = FLOAT_BYTES


def _as_vectors(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return [
        value
        if isinstance(kind, VectorType)
        else all_lanes(builder, context.cast(builder, value, kind, numba.types.float32))
        for kind, value in zip(signature.args, args, strict=True)
    ]


def _define(operation: Callable[..., Any], instruction: str) -> None:
    """Let numba apply an operator of Python to two vectors, or to a vector and a scalar."""

    @type_callable(operation)
    def typing(context: Any) -> Callable[[Any, Any], Any]:
        def result(left: Any, right: Any) -> Any:
            kinds = (left, right)
            vectors = [isinstance(kind, VectorType) for kind in kinds]
            known = [isinstance(kind, VectorType | numba.types.Number) for kind in kinds]
            return _type if any(vectors) and all(known) else None

        return result

    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*_as_vectors(context, builder, signature, args), flags=FUSED)

    for kinds in ((VectorType, VectorType), (VectorType, numba.types.Number), (numba.types.Number, VectorType)):
        lower_builtin(operation, *kinds)(lower)


_define(operator.add, "fadd")
_define(operator.sub, "fsub")
_define(operator.mul, "fmul")
_define(operator.truediv, "fdiv")


@intrinsic
def rounded_product(typing_context: Any, left: Any, right: Any) -> Any:
    """A product that is rounded before it is added to anything.

    Of two products that are added up, the compiler would choose in each place anew which one is rounded: a row would
    no longer be equal to the bit in any batch.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fmul(*args)

    return _type(_type, _type), generate


@intrinsic
def load(typing_context: Any, address: Any, n_vectors: Any) -> Any:
    """Load the vector that is ``n_vectors`` vectors after an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return load_vector(builder, args[0], builder.mul(args[1], constant(LANES)))

    return _type(numba.types.int64, numba.types.int64), generate


@intrinsic
def store(typing_context: Any, address: Any, n_vectors: Any, vector: Any) -> Any:
    """Store a vector ``n_vectors`` vectors after an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        store_vector(builder, args[0], builder.mul(args[1], constant(LANES)), args[2])
        return context.get_dummy_value()

    return numba.types.void(numba.types.int64, numba.types.int64, _type), generate


@intrinsic
def load_scalar(typing_context: Any, address: Any, n_floats: Any) -> Any:
    """Load the float that is ``n_floats`` floats after an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(pointer(builder, *args), typ=_float32)

    return numba.types.float32(numba.types.int64, numba.types.int64), generate


@intrinsic
def store_scalar(typing_context: Any, address: Any, n_floats: Any, scalar: Any) -> Any:
    """Store a float ``n_floats`` floats after an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], pointer(builder, args[0], args[1]))
        return context.get_dummy_value()

    return numba.types.void(numba.types.int64, numba.types.int64, numba.types.float32), generate


@intrinsic
def zero(typing_context: Any) -> Any:
    """Zero in each lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(_vector, [0.0] * LANES)

    return _type(), generate


@intrinsic
def where_less(typing_context: Any, left: Any, right: Any, if_true: Any, if_false: Any) -> Any:
    """Lane by lane ``if_true`` where ``left < right``, and ``if_false`` where not or where one of them is NaN."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        left, right, if_true, if_false = _as_vectors(context, builder, signature, args)
        return builder.select(builder.fcmp_ordered("<", left, right), if_true, if_false)

    return _type(left, right, if_true, if_false), generate


@register_jitable
def clip(x: Vector, bound: float) -> Vector:
    """``x`` between ``-bound`` and ``bound``; NaN stays NaN."""
    x = where_less(x, -bound, -bound, x)
    return where_less(bound, x, bound, x)


@intrinsic
def power_of_two(typing_context: Any, shifted: Any) -> Any:
    """2**n lane by lane, from 3 * 2**22 + n: the last bits of that sum are those of n."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        exponent_of_one = ir.Constant(_bits, [0x3F800000] * LANES)
        shift = ir.Constant(_bits, [23] * LANES)
        exponent = builder.shl(builder.bitcast(args[0], _bits), shift)
        return builder.bitcast(builder.add(exponent, exponent_of_one), _vector)

    return _type(_type), generate


_IS_X86 = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")
_FLUSH = 0x8040  # flush to zero (results) and denormals are zero (operands)
_control_type = ir.IntType(32)


@intrinsic
def set_flush_to_zero(typing_context: Any) -> Any:
    """Treat denormal numbers (below 1e-38) as zero in this thread; `restore_flush_to_zero` takes what this returns.

    Vanishing gradients pass through such numbers, and an x86 takes a hundred times longer for each.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if not _IS_X86:
            return ir.Constant(_control_type, 0)
        place = _control_word(builder)
        _call_control(builder, "stmxcsr", place)
        before = builder.load(place, typ=_control_type)
        builder.store(builder.or_(before, ir.Constant(_control_type, _FLUSH)), place)
        _call_control(builder, "ldmxcsr", place)
        return before

    return numba.types.uint32(), generate


@intrinsic
def restore_flush_to_zero(typing_context: Any, control: Any) -> Any:
    """Undo `set_flush_to_zero`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if _IS_X86:
            place = _control_word(builder)
            builder.store(args[0], place)
            _call_control(builder, "ldmxcsr", place)
        return context.get_dummy_value()

    return numba.types.void(numba.types.uint32), generate


def _control_word(builder: Any) -> Any:
    with builder.goto_entry_block():
        return builder.alloca(_control_type)


def _call_control(builder: Any, name: str, place: Any) -> None:
    byte = ir.IntType(8).as_pointer()
    function = builder.module.declare_intrinsic(f"llvm.x86.sse.{name}", (), ir.FunctionType(ir.VoidType(), [byte]))
    builder.call(function, [builder.bitcast(place, byte)])
