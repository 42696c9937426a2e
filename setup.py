"""Builds the CPU scan where a C++ compiler is at hand. Without one the package installs all the same and says so."""

import platform
import warnings

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

FLAGS = [
    *("-O3", "-std=c++17", "-fPIC", "-pthread", "-Wno-psabi"),
    *("-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
]
# The kernels multiply and add NaN like any number, but their comparisons need not see it: `cpu.py` sees to that.
KERNEL_FLAGS = ["-ffinite-math-only", "-fno-signed-zeros"]
X86 = platform.machine().lower() in {"x86_64", "amd64"}
# Each file is compiled for one instruction set; the best that the processor has is chosen when the library is loaded.
SOURCES = {"csrc/scan.cpp": [], "csrc/scan_generic.cpp": KERNEL_FLAGS, "csrc/scan_double.cpp": KERNEL_FLAGS}
if X86:
    SOURCES |= {
        "csrc/scan_avx2.cpp": [*KERNEL_FLAGS, "-mavx2", "-mfma"],
        "csrc/scan_avx512.cpp": [*KERNEL_FLAGS, "-mavx512f", "-mavx512dq", "-mfma"],
    }


class BuildScan(build_ext):
    """Compiles a plain shared library: no Python or torch header, so one build serves every version of both."""

    def get_ext_filename(self, fullname):
        return f"{fullname.replace('.', '/')}.so"

    def build_extension(self, ext):
        if self.compiler.compiler_type != "unix":
            warnings.warn("the CPU scan needs GCC or Clang: installing without it", stacklevel=2)
            return
        objects = []
        for source, flags in SOURCES.items():
            macros = [("MEDMAMBA_X86", "1")] if X86 else []
            objects += self.compiler.compile(
                [source],
                output_dir=self.build_temp,
                macros=macros,
                extra_postargs=[*FLAGS, *flags],
                depends=ext.depends,
            )
        self.compiler.link_shared_object(
            objects, self.get_ext_fullpath(ext.name), extra_postargs=["-pthread"], target_lang="c++"
        )


class AnyPython(bdist_wheel):
    """Names the wheel for its platform alone."""

    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


setup(
    ext_modules=[
        Extension(
            "monai_medmamba.ops.cross_selective_scan._scan",
            sources=list(SOURCES),
            depends=["csrc/scan.h", "csrc/scan_kernel.h", "csrc/scan_math.h"],
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildScan, "bdist_wheel": AnyPython},
)
