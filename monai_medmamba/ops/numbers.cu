// What a kernel begins with: the numbers in device memory, `io`, those that it computes with, `real`, and the way between.
//
// Set by the host: IO (0 float, 1 bfloat16, 2 half, 3 double). It puts this text before that of the kernels.

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

