// The cross selective scan on the CPU: sizes, pointers, and the kernels that one instruction set compiles.
//
// All maps are channels last and contiguous. Parameters come transposed, so that channels are contiguous too.

#pragma once

#include <cstdint>

namespace medmamba {

struct Sizes {
    int64_t batch;       // B
    int64_t length;      // L, tokens of a map
    int64_t channels;    // D
    int64_t states;      // N
    int64_t rank;        // R
    int64_t directions;  // K
};

template <class T>
struct Inputs {
    const T* x;          // (B, L, D)
    const T* x_dbl;      // (B, L, K, R + 2N)
    const T* dt_weight;  // (K, R, D)
    const T* dt_bias;    // (K, D)
    const T* A;          // (K, N, D)
    const T* D;          // (K, D)
    const int32_t* order;  // (K, L), the token that each direction visits at each step
};

template <class T>
struct Gradients {
    const T* y;       // (B, L, D), given
    T* x;             // (K, B, L, D), through dt * B * x alone: the skip's part is added outside
    T* delta;         // (K, B, L, D), of the step before bias and softplus
    T* BC;            // (B, L, K, 2N)
    T* A;             // (B, K, N, D)
};

// What an instruction set offers. A task of the forward pass is one image and one block of channels, all directions;
// a task of the backward pass is one image and one direction, all channels. Tasks share nothing that they write.
template <class T>
struct Kernels {
    int64_t width;  // channels of a block
    void (*forward)(const Sizes&, const Inputs<T>&, T* y, int64_t image, int64_t block, T* scratch);
    void (*backward)(const Sizes&, const Inputs<T>&, const Gradients<T>&, int64_t image, int64_t direction, T* scratch);
    int64_t (*forward_scratch)(const Sizes&);   // elements
    int64_t (*backward_scratch)(const Sizes&);  // elements
};

extern const Kernels<float> generic_float, avx2_float, avx512_float;
extern const Kernels<double> generic_double;

}  // namespace medmamba
