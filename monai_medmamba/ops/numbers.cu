// What a kernel begins with: the numbers in device memory, `io`, those that it computes with, `real`, and the way between.
//
// Set by the host: IO (0 float, 1 bfloat16, 2 half, 3 double) and, for kernels that take parameters as they are, PARAM_IO
// (1: their numbers are those in device memory, else those that it computes with). It puts this text before the kernels'.

#ifndef SHARED_MEMORY  // a test that runs the kernels on a CPU sets its own
#define SHARED_MEMORY extern __shared__ __align__(16) unsigned char memory[]
#endif

#if IO == 3
typedef double real;
#else
typedef float real;
#endif
#if IO == 0
typedef float io;
#elif IO == 3
typedef double io;
#else
typedef unsigned short io;
#endif
#if PARAM_IO
typedef io parameter;
#else
typedef real parameter;
#endif

__device__ __forceinline__ real read(const io* p) {
#if IO == 1
    return __uint_as_float(static_cast<unsigned>(*p) << 16);
#elif IO == 2
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(*p));
    return f;
#else
    return *p;
#endif
}

__device__ __forceinline__ void write(io* p, real value) {
#if IO == 1
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(*p) : "f"(value));
#elif IO == 2
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(*p) : "f"(value));
#else
    *p = value;
#endif
}

// Neighbours in memory, moved at once.
template <class Value, int COUNT>
struct alignas(COUNT * sizeof(Value) > 16 ? 16 : COUNT * sizeof(Value)) Group { Value v[COUNT]; };

// COUNT values as they lie in device memory. Halves of a word stay together until they are read: whoever takes them
// apart waits for the load.
template <int COUNT, bool WORDS = sizeof(io) == 2 && COUNT % 2 == 0>
struct Raw {
    Group<io, COUNT> all;
    __device__ __forceinline__ real operator[](int i) const { return read(&all.v[i]); }
};
template <int COUNT>
struct Raw<COUNT, true> {
    Group<unsigned, COUNT / 2> all;
    __device__ __forceinline__ real operator[](int i) const {
#if IO == 1
        return __uint_as_float(i % 2 ? all.v[i / 2] & 0xffff0000u : all.v[i / 2] << 16);
#else
        const io half = static_cast<io>(i % 2 ? all.v[i / 2] >> 16 : all.v[i / 2]);
        return read(&half);
#endif
    }
};

template <int COUNT>
__device__ __forceinline__ void load_group(const io* from, real (&to)[COUNT]) {
    const auto group = *reinterpret_cast<const Raw<COUNT>*>(from);
#pragma unroll
    for (int i = 0; i < COUNT; ++i) to[i] = group[i];
}

#if IO == 1 || IO == 2
template <int COUNT>
__device__ __forceinline__ void load_group(const real* from, real (&to)[COUNT]) {
    const auto group = *reinterpret_cast<const Group<real, COUNT>*>(from);
#pragma unroll
    for (int i = 0; i < COUNT; ++i) to[i] = group.v[i];
}
#endif

template <int COUNT>
__device__ __forceinline__ void store_group(io* to, const real (&from)[COUNT]) {
    Group<io, COUNT> group;
#pragma unroll
    for (int i = 0; i < COUNT; ++i) write(group.v + i, from[i]);
    *reinterpret_cast<Group<io, COUNT>*>(to) = group;
}

