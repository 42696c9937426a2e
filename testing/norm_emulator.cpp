// The CUDA kernels of the layer normalisation as a library for the CPU: see emulator.py.
#include "gpu_emulator.h"
using std::sqrt;
#include NUMBERS
#include SOURCE

extern "C" void launch_normalise(int blocks, int threads, int shared_bytes, const io* x, const real* weight, const real* bias,
                                 io* y, int positions, int stride) {
    launch(blocks, threads, shared_bytes, [=] { normalise(x, weight, bias, y, positions, stride); });
}

extern "C" void launch_differentiate(int blocks, int threads, int shared_bytes, const io* x, const io* dy, const real* weight,
                                     io* dx, real* sums, int parts, int positions, int stride) {
    launch(blocks, threads, shared_bytes, [=] { differentiate(x, dy, weight, dx, sums, parts, positions, stride); });
}
