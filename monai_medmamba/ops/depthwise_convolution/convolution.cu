// The depthwise convolution of a map with its channels last: result and gradients. Kernels of 3 positions along each
// axis, zeros around the map. An image is a volume of one slice, whose kernel has one slice too.
//
// `convolve`: a thread makes V channels of TW positions in a row, and holds the TW + 2 that they share. With the
// kernel turned round it makes the gradient of the input.
//
// `weigh`: a thread walks along rows with VW channels and sums, for each tap, what it reads times the gradient of the
// result; the positions that it needs again stay with it. A block adds its threads' sums one after the other and leaves
// them for the host to add: no value depends on the order in which threads run.
//
// Set by the host: IO, KZ (slices of the kernel: 1, 3), V and VW (they divide the channels), LANES (threads of `weigh`
// side by side, a power of two). Weights are (taps, channels).

constexpr int TAPS = 9 * KZ;
constexpr int TW = 4;
constexpr int THREADS = 128;            // of a block of `weigh`
constexpr int ROWS = THREADS / LANES;   // of its threads
constexpr int BLOCKS = IO == 3 ? 1 : 3; // of them on a multiprocessor at a time

__device__ __forceinline__ bool inside(int position, int size) {
    return static_cast<unsigned>(position) < static_cast<unsigned>(size);
}

// `items` counts the threads with work: groups of V channels, times tiles of TW positions, times rows of the batch.
extern "C" __global__ void __launch_bounds__(256) convolve(
    const io* __restrict__ x, const parameter* __restrict__ weight, const parameter* __restrict__ bias, io* __restrict__ y,
    int turned, int items, int channels, int depth, int height, int width) {
    const int groups = channels / V, tiles = (width + TW - 1) / TW;
    const int item = blockIdx.x * 256 + threadIdx.x;
    if (item >= items) return;
    const int c = item % groups * V, left = item / groups % tiles * TW, row = item / groups / tiles;
    const int h = row % height, z = row / height % depth;
    real sum[TW][V], shift[V] = {};
    if (bias) load_group(bias + c, shift);
#pragma unroll
    for (int t = 0; t < TW; ++t)
#pragma unroll
        for (int i = 0; i < V; ++i) sum[t][i] = shift[i];
#pragma unroll
    for (int kz = 0; kz < KZ; ++kz) {
        const int slice = kz - KZ / 2;
        if (!inside(z + slice, depth)) continue;
#pragma unroll
        for (int kh = 0; kh < 3; ++kh) {
            if (!inside(h + kh - 1, height)) continue;
            const io* line = x + static_cast<long long>(row + slice * height + kh - 1) * width * channels + c;
            real near[TW + 2][V] = {};
#pragma unroll
            for (int t = 0; t < TW + 2; ++t)
                if (inside(left + t - 1, width)) load_group(line + static_cast<long long>(left + t - 1) * channels, near[t]);
#pragma unroll
            for (int kw = 0; kw < 3; ++kw) {
                const int tap = (kz * 3 + kh) * 3 + kw;
                real w[V];
                load_group(weight + (turned ? TAPS - 1 - tap : tap) * channels + c, w);
#pragma unroll
                for (int t = 0; t < TW; ++t)
#pragma unroll
                    for (int i = 0; i < V; ++i) sum[t][i] += near[t + kw][i] * w[i];
            }
        }
    }
#pragma unroll
    for (int t = 0; t < TW; ++t) {
        if (left + t >= width) break;
        store_group(y + (static_cast<long long>(row) * width + left + t) * channels + c, sum[t]);
    }
}

// A unit is a row of the batch, or one of the `segments` that it is cut into. A block takes one of the `parts` of the
// units and LANES groups of VW channels, and leaves (TAPS + 1, channels) sums: of the taps, and of the bias.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) weigh(
    const io* __restrict__ x, const io* __restrict__ dy, real* __restrict__ sums, int parts, int units, int segments,
    int channels, int depth, int height, int width) {
    SHARED_MEMORY;
    real* total = reinterpret_cast<real*>(memory);
    const int lane = threadIdx.x % LANES, turn = threadIdx.x / LANES;
    const int part = blockIdx.x % parts, first = blockIdx.x / parts * LANES * VW, c = first + lane * VW;
    const int length = (width + segments - 1) / segments;
    const long long line = static_cast<long long>(width) * channels;
    real sum[TAPS + 1][VW] = {};
    for (int unit = part * ROWS + turn; c < channels && unit < units; unit += parts * ROWS) {
        const int row = unit / segments, begin = unit % segments * length;
        const int end = begin + length < width ? begin + length : width;
        const int h = row % height, z = row / height % depth;
        const long long here = row * line + c;
        real near[3 * KZ][3][VW];  // the position at w - 1 + k lies in column (w - begin + k) % 3
        const auto fetch = [&](int w, int column) {
#pragma unroll
            for (int r = 0; r < 3 * KZ; ++r) {
                const int slice = r / 3 - KZ / 2, up = r % 3 - 1;
                if (inside(w, width) && inside(z + slice, depth) && inside(h + up, height)) {
                    load_group(x + here + (static_cast<long long>(slice) * height + up) * line + static_cast<long long>(w) * channels,
                         near[r][column]);
                } else {
#pragma unroll
                    for (int i = 0; i < VW; ++i) near[r][column][i] = 0;
                }
            }
        };
        fetch(begin - 1, 0);
        fetch(begin, 1);
        for (int start = begin; start < end; start += 3) {
#pragma unroll
            for (int step = 0; step < 3; ++step) {
                const int w = start + step;
                if (w >= end) break;
                fetch(w + 1, (step + 2) % 3);
                real slope[VW];
                load_group(dy + here + static_cast<long long>(w) * channels, slope);
#pragma unroll
                for (int i = 0; i < VW; ++i) sum[TAPS][i] += slope[i];
#pragma unroll
                for (int r = 0; r < 3 * KZ; ++r)
#pragma unroll
                    for (int k = 0; k < 3; ++k)
#pragma unroll
                        for (int i = 0; i < VW; ++i) sum[3 * r + k][i] += near[r][(step + k) % 3][i] * slope[i];
            }
        }
    }
    for (int now = 0; now < ROWS; ++now) {
        if (turn == now) {
#pragma unroll
            for (int t = 0; t <= TAPS; ++t)
#pragma unroll
                for (int i = 0; i < VW; ++i) {
                    real& to = total[(t * LANES + lane) * VW + i];
                    to = now ? to + sum[t][i] : sum[t][i];
                }
        }
        __syncthreads();
    }
    for (int i = threadIdx.x; i < (TAPS + 1) * LANES * VW; i += THREADS) {
        const int tap = i / (LANES * VW), channel = first + i % (LANES * VW);
        if (channel < channels) sums[(static_cast<long long>(part) * (TAPS + 1) + tap) * channels + channel] = total[i];
    }
}
