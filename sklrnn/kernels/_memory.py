"""Numbers at an address, sums over a vector and calls of functions, as instructions of numba's language."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sklrnn.kernels._simd import LANES, _type, constant

_double, _int64 = ir.DoubleType(), ir.IntType(64)


def _at(builder: Any, kind: Any, address: Any, position: Any) -> Any:
    return builder.gep(builder.inttoptr(address, kind.as_pointer()), [position])


@intrinsic
def load_int(typing_context: Any, address: Any, position: Any) -> Any:
    """An int of 64 bits of an array."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_at(builder, _int64, *args), typ=_int64)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def load_double(typing_context: Any, address: Any, position: Any) -> Any:
    """A double of an array."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_at(builder, _double, *args), typ=_double)

    return types.float64(types.int64, types.int64), generate


@intrinsic
def store_double(typing_context: Any, address: Any, position: Any, value: Any) -> Any:
    """Store a double in an array."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _at(builder, _double, args[0], args[1]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.float64), generate


@intrinsic
def sum_lanes(typing_context: Any, vector: Any) -> Any:
    """The sum over the lanes of a vector, by halves."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (sums,), width = args, LANES
        while width > 1:
            width //= 2
            upper = [min(width + i, LANES - 1) for i in range(LANES)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), upper)
            sums = builder.fadd(sums, builder.shuffle_vector(sums, sums, mask))
        return builder.extract_element(sums, ir.Constant(ir.IntType(32), 0))

    return types.float32(_type), generate


@intrinsic
def square_root(typing_context: Any, vector: Any) -> Any:
    """The square root lane by lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(args[0].type, [args[0].type])
        function = builder.module.declare_intrinsic(f"llvm.sqrt.v{LANES}f32", (), kind)
        return builder.call(function, args)

    return _type(_type), generate


@intrinsic
def call_function(typing_context: Any, function: Any, address: Any, a: Any, b: Any, c: Any, n_ints: Any) -> Any:
    """Call a function at an address with an address and three ints, or only two of them."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        has_three = builder.icmp_signed("==", args[5], constant(3))
        with builder.if_else(has_three) as (three, two):
            for branch, given in ((three, args[1:5]), (two, args[1:4])):
                with branch:
                    kind = ir.FunctionType(ir.VoidType(), [_int64] * len(given))
                    builder.call(builder.inttoptr(args[0], kind.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 6), generate
