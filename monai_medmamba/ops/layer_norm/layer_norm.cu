// The normalisation of each position's channels: result and gradients.
//
// G lanes share a position and hold P groups of V of its channels each, in registers: device memory is read once. A
// position may lie among others' channels: `stride` counts the values from one to the next, in what is read of x alone.
//
// `differentiate` sums the gradients of weight and bias over the positions of a block, first in the order in which a
// thread meets them, then over its lanes, then over its warps; the host adds the blocks. No value depends on the order
// in which threads run.
//
// Set by the host: IO, C (channels), V (divides them), G (a power of two up to 32).

constexpr int GROUPS = C / V;
constexpr int P = (GROUPS + G - 1) / G;
constexpr int THREADS = 256;
constexpr int AT_ONCE = THREADS / G;  // positions of a block
constexpr real EPSILON = 1e-5;

template <int SPAN, int FROM>
__device__ __forceinline__ real total(real value) {
#pragma unroll
    for (int mask = SPAN / 2; mask >= FROM; mask /= 2) value += __shfl_xor_sync(0xffffffffu, value, mask);
    return value;
}

// Brings the channels of a lane, less their mean, and returns what scales them; zeros where there is none.
__device__ __forceinline__ real centred(const io* x, bool there, int lane, real (&value)[P][V]) {
    real sum = 0, squares = 0;
#pragma unroll
    for (int p = 0; p < P; ++p) {
        if (there && p * G + lane < GROUPS) {
            load_group(x + (p * G + lane) * V, value[p]);
        } else {
#pragma unroll
            for (int i = 0; i < V; ++i) value[p][i] = 0;
        }
#pragma unroll
        for (int i = 0; i < V; ++i) sum += value[p][i];
    }
    const real mean = total<G, 1>(sum) / C;
#pragma unroll
    for (int p = 0; p < P; ++p) {
        if (p * G + lane < GROUPS) {
#pragma unroll
            for (int i = 0; i < V; ++i) {
                value[p][i] -= mean;
                squares += value[p][i] * value[p][i];
            }
        }
    }
    return 1 / sqrt(total<G, 1>(squares) / C + EPSILON);
}

extern "C" __global__ void __launch_bounds__(THREADS) normalise(
    const io* __restrict__ x, const parameter* __restrict__ weight, const parameter* __restrict__ bias, io* __restrict__ y, int positions,
    int stride) {
    const int lane = threadIdx.x % G, position = blockIdx.x * AT_ONCE + threadIdx.x / G;
    const bool there = position < positions;
    real value[P][V];
    const real scale = centred(x + static_cast<long long>(position) * stride, there, lane, value);
#pragma unroll
    for (int p = 0; p < P; ++p) {
        const int c = (p * G + lane) * V;
        if (!there || c >= C) continue;
        real w[V], b[V];
        load_group(weight + c, w);
        load_group(bias + c, b);
#pragma unroll
        for (int i = 0; i < V; ++i) value[p][i] = value[p][i] * scale * w[i] + b[i];
        store_group(y + static_cast<long long>(position) * C + c, value[p]);
    }
}

// Leaves (blocks, 2, C) sums: of the weight, and of the bias.
extern "C" __global__ void __launch_bounds__(THREADS) differentiate(
    const io* __restrict__ x, const io* __restrict__ dy, const parameter* __restrict__ weight, io* __restrict__ dx,
    real* __restrict__ sums, int blocks, int positions, int stride) {
    SHARED_MEMORY;
    real* shared = reinterpret_cast<real*>(memory);
    const int lane = threadIdx.x % G, warp = threadIdx.x / 32;
    real of_weight[P][V] = {}, of_bias[P][V] = {};
    for (int first = blockIdx.x * AT_ONCE; first < positions; first += blocks * AT_ONCE) {
        const int position = first + threadIdx.x / G;
        const bool there = position < positions;
        real value[P][V], slope[P][V];
        const real scale = centred(x + static_cast<long long>(position) * stride, there, lane, value);
        real sum = 0, product = 0;
#pragma unroll
        for (int p = 0; p < P; ++p) {
            const int c = (p * G + lane) * V;
            if (!there || c >= C) continue;
            load_group(dy + static_cast<long long>(position) * C + c, slope[p]);
            real w[V];
            load_group(weight + c, w);
#pragma unroll
            for (int i = 0; i < V; ++i) {
                value[p][i] *= scale;
                of_weight[p][i] += slope[p][i] * value[p][i];
                of_bias[p][i] += slope[p][i];
                slope[p][i] *= w[i];
                sum += slope[p][i];
                product += slope[p][i] * value[p][i];
            }
        }
        sum = total<G, 1>(sum) / C;
        product = total<G, 1>(product) / C;
#pragma unroll
        for (int p = 0; p < P; ++p) {
            const int c = (p * G + lane) * V;
            if (!there || c >= C) continue;
#pragma unroll
            for (int i = 0; i < V; ++i) slope[p][i] = scale * (slope[p][i] - sum - value[p][i] * product);
            store_group(dx + static_cast<long long>(position) * C + c, slope[p]);
        }
    }
#pragma unroll
    for (int p = 0; p < P; ++p)
#pragma unroll
        for (int i = 0; i < V; ++i) {
            of_weight[p][i] = total<32, G>(of_weight[p][i]);
            of_bias[p][i] = total<32, G>(of_bias[p][i]);
        }
    for (int now = 0; now < THREADS / 32; ++now) {
        if (warp == now && threadIdx.x % 32 < G) {
#pragma unroll
            for (int p = 0; p < P; ++p) {
                const int c = (p * G + lane) * V;
                if (c >= C) continue;
#pragma unroll
                for (int i = 0; i < V; ++i) {
                    shared[c + i] = now ? shared[c + i] + of_weight[p][i] : of_weight[p][i];
                    shared[C + c + i] = now ? shared[C + c + i] + of_bias[p][i] : of_bias[p][i];
                }
            }
        }
        __syncthreads();
    }
    for (int i = threadIdx.x; i < 2 * C; i += THREADS) sums[static_cast<long long>(blockIdx.x) * 2 * C + i] = shared[i];
}
