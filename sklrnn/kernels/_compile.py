"""Machine code of a kernel, from functions that numba translates to LLVM's language.

The same steps make a library when the package is built and code in memory at the first use, so both compute the same
bits on the same instruction set.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
from numba import types
from numba.core import config
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.extending import intrinsic, register_jitable

from sklrnn.kernels._arguments import N_INTS, SIZES, KernelSource
from sklrnn.kernels._simd import CPU, FEATURES, LANES

# Whatever changes the machine code beside the sources of the kernels.
COMPILER = f"{CPU} {FEATURES} numba {numba.__version__} llvmlite {llvmlite.__version__}"

specialised = register_jitable  # for a closure that compiled code calls


def tuple_at(length: int, of: Any = types.int64) -> Any:
    """Make a function of numba's language: so many ints, or numbers of another kind, from an address on as a tuple."""
    kind = types.UniTuple(of, length)

    @intrinsic
    def load_tuple(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            loaded = context.get_value_type(kind)
            return builder.load(builder.inttoptr(args[0], loaded.as_pointer()), typ=loaded)

        return kind(types.int64), generate

    return load_tuple


def machine_code(source: KernelSource, *, in_memory: bool) -> bytes:
    """An object file with the functions of a kernel and its sizes.

    It has no other names, and needs none: a kernel raises no error and calls nothing of Python or numba.
    """
    module = llvm.parse_assembly(_sizes(source.shape))
    with _unoptimised():
        for name, function in source.functions.items():
            module.link_in(_module_of(name, function))
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name not in (*N_INTS, SIZES):
            value.linkage = "internal"
    machine = _target_machine(in_memory)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization, options.slp_vectorization = True, False  # numba's own choices
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))


def load_into_memory(code: bytes) -> Callable[[str], int]:
    """Load an object file; the result gives the address of a name, and keeps the code in memory."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(_header()), _target_machine(True))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    # All at once, while a fork waits: a child could not take the lock of llvmlite if another thread looked one up.
    addresses = {name: int(engine.get_function_address(name)) for name in N_INTS}
    addresses[SIZES] = int(engine.get_global_value_address(SIZES))

    def address_of(name: str, _keep_alive: Any = engine) -> int:
        return addresses[name]

    return address_of


def _target_machine(in_memory: bool) -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    # In memory the parts of the code may lie far apart; a library can be loaded anywhere.
    place = {"jit": True, "codemodel": "jitdefault"} if in_memory else {"reloc": "pic", "codemodel": "default"}
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(CPU, FEATURES, opt=3, **place)


def _header() -> str:
    return f'target triple = "{llvm.get_process_triple()}"\n'


def _sizes(shape: tuple[int, ...]) -> str:
    sizes = [*map(int, shape), LANES]
    numbers = ", ".join(f"i64 {size}" for size in sizes)
    return f"{_header()}@{SIZES} = constant [{len(sizes)} x i64] [{numbers}]\n"


def _module_of(name: str, function: Callable[..., None]) -> Any:
    """A function and all that it calls, in LLVM's language."""
    signature = types.void(*[types.int64] * (1 + N_INTS[name]))
    translated = numba.cfunc(signature, error_model="numpy", nopython=True)(function)
    module = llvm.parse_assembly(translated.inspect_llvm())
    module.get_function(translated.native_name).name = name
    return module


@contextmanager
def _unoptimised() -> Iterator[None]:
    """Let numba optimise nothing: it would do so for each function that is called, and once more for the caller."""
    with global_compiler_lock:
        # The first use would set the level of numba's own code generator, which other code of the process uses too.
        cpu_target.target_context  # noqa: B018
        before, config.OPT = config.OPT, type(config.OPT)(0)
        try:
            yield
        finally:
            config.OPT = before
