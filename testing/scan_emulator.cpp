// The scan's CUDA kernels as a library for the CPU: see emulator.py.
#include "gpu_emulator.h"
#include NUMBERS
#include SOURCE

#if ENDS
extern "C" void join(const real* A, real* ends, const real* steps, int chunks, int images, int channels) {
    launch((images * K * channels * N + JOINED - 1) / JOINED, JOINED, 0,
           [=] { join_ends(A, ends, steps, chunks, images, channels); });
}
#endif

#if !BACKWARD
extern "C" void forward(const io* x, const io* x_dbl, const real* weight, const real* bias, const real* A,
                        const real* skip, const io* dy, io* y, real* states, real* ends, real* steps, int chunk_tokens,
                        int chunks, int images, int length, int channels, int height, int width, int depth) {
    launch(chunks * images * K * ((channels + CB - 1) / CB), NT, sizeof(Shared), [=] {
        scan_forward(x, x_dbl, weight, bias, A, skip, dy, y, states, ends, steps, chunk_tokens, images, length, channels,
                     height, width, depth);
    });
}
#else
extern "C" void backward(const io* x, const io* x_dbl, const real* weight, const real* bias, const real* A,
                         const real* skip, const io* dy, const real* states, io* dx, io* dx_dbl, real* dA,
                         real* dparameters, const real* ends, int chunk_tokens, int chunks,
                         int images, int length, int channels, int height, int width, int depth) {
    launch(chunks * images * K * ((channels + CB - 1) / CB), NT, sizeof(Shared), [=] {
        scan_backward(x, x_dbl, weight, bias, A, skip, dy, states, dx, dx_dbl, dA, dparameters, ends,
                      chunk_tokens, images, length, channels, height, width, depth);
    });
}
#endif
