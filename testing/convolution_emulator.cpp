// The CUDA kernels of the depthwise convolution as a library for the CPU: see emulator.py.
#include "gpu_emulator.h"
#include NUMBERS
#include SOURCE

extern "C" void launch_convolve(int blocks, int threads, int shared_bytes, const io* x, const real* weight, const real* bias,
                                io* y, int turned, int items, int channels, int depth, int height, int width) {
    launch(blocks, threads, shared_bytes,
           [=] { convolve(x, weight, bias, y, turned, items, channels, depth, height, width); });
}

extern "C" void launch_weigh(int blocks, int threads, int shared_bytes, const io* x, const io* dy, real* sums, int parts,
                             int units, int segments, int channels, int depth, int height, int width) {
    launch(blocks, threads, shared_bytes,
           [=] { weigh(x, dy, sums, parts, units, segments, channels, depth, height, width); });
}
