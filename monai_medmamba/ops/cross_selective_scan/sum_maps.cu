// The sum of several maps of one size, each value added in the order of the maps: nothing depends on the threads.
//
// Set by the host: FROM and TO (0 float, 1 bfloat16, 2 half, 3 double: what is read and what is written) and V (values
// that a thread sums; it divides the size of a map, so that a map begins where V values can be loaded at once).

template <int KIND> struct Values;
template <> struct Values<0> { typedef float type; };
template <> struct Values<1> { typedef unsigned short type; };
template <> struct Values<2> { typedef unsigned short type; };
template <> struct Values<3> { typedef double type; };

typedef Values<FROM>::type from_value;
typedef Values<TO>::type to_value;
template <class Value>
struct alignas(V * sizeof(Value) > 16 ? 16 : V * sizeof(Value)) Group { Value v[V]; };

#if FROM == 3
typedef double real;
#else
typedef float real;
#endif

__device__ __forceinline__ real read(from_value value) {
#if FROM == 1
    return __uint_as_float(static_cast<unsigned>(value) << 16);
#elif FROM == 2
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(value));
    return f;
#else
    return value;
#endif
}

__device__ __forceinline__ to_value rounded(real value) {
#if TO == 1
    to_value bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
#elif TO == 2
    to_value bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
#else
    return value;
#endif
}

// `size` counts groups of V values in a map.
extern "C" __global__ void __launch_bounds__(256) sum_maps(
    const from_value* __restrict__ maps, to_value* __restrict__ sum, int count, int size) {
    const int at = blockIdx.x * 256 + threadIdx.x;
    if (at >= size) return;
    real total[V] = {};
#pragma unroll 4
    for (int k = 0; k < count; ++k) {
        const auto group = reinterpret_cast<const Group<from_value>*>(maps)[static_cast<long long>(k) * size + at];
#pragma unroll
        for (int i = 0; i < V; ++i) total[i] += read(group.v[i]);
    }
    Group<to_value> result;
#pragma unroll
    for (int i = 0; i < V; ++i) result.v[i] = rounded(total[i]);
    reinterpret_cast<Group<to_value>*>(sum)[at] = result;
}
