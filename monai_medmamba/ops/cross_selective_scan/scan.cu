// The cross selective scan on a GPU, forward and backward, compiled at run time for one problem.
//
// A block owns one image, one direction and CB channels, and walks the direction's tokens in segments of T = W * M.
// In a segment every one of the W "time warps" takes M tokens and scans them from a zero state; the W ends are then
// chained (one thread for each state), and each warp adds what the chain brings in. No value depends on the order in
// which threads run: there are no atomics.
//
// In a warp a lane holds 2 channels x 4 states: LS lanes span the NP states, LC lanes span the warp's channels.
//
// Set by the host: IO (0 float, 1 bfloat16, 2 half, 3 double), DIMS (2, 3), N, R, W, M, CW, SAVE (tokens between the
// states that the forward pass keeps), FORWARD_SHARED and BACKWARD_SHARED (bytes, checked below).

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

constexpr int ceil_power(int n, int p) { return p >= n ? p : ceil_power(n, 2 * p); }
constexpr int NP = ceil_power(N, 4);       // states, padded
constexpr int LS = NP / 4;                 // lanes that share a channel
constexpr int LC = 32 / LS;                // lanes that share a state
constexpr int CHW = 2 * LC;                // channels of a warp
constexpr int CB = CW * CHW;               // channels of a block
constexpr int T = W * M;                   // tokens of a segment
constexpr int NT = 32 * W * CW;            // threads
constexpr int K = 2 * DIMS;                // directions
constexpr int RP = (R + 3) / 4 * 4;        // rank, padded
constexpr int ROW = RP + 2 * NP;           // a token's r, B, C in shared memory
constexpr int RN = R + 2 * N;              // the same in device memory
constexpr int ELEMENTS = CB * NP;          // states of a block
constexpr int V = T * CB / 4 >= NT ? 4 : 2;  // channels that a thread stages at a time
constexpr int SLICES = NT / CB;            // in which a segment's tokens are summed for the parameters
constexpr real LOG2E = 1.4426950408889634, LN2 = 0.6931471805599453;

static_assert(SAVE % T == 0, "states are kept at the start of a segment");

struct alignas(sizeof(real) * 4) Four { real v[4]; };
struct alignas(sizeof(real) * 2) Two { real v[2]; };

struct Inputs {
    alignas(16) real rows[T][ROW];
    real x[T][CB], dt[T][CB];
    real weight[RP][CB];
    real carry[W][ELEMENTS];
    real step[W][CB];
    int token[2][T];
};

struct Gradients : Inputs {
    alignas(16) real dy[T][CB], slope[T][CB], delta[T][CB];
    real carry_back[W][ELEMENTS];
    real sums[CW][T][2 * NP];
    real parameters[R + 2][SLICES][CB];
};

static_assert(sizeof(Inputs) == FORWARD_SHARED, "the host's count of shared memory");
static_assert(sizeof(Gradients) == BACKWARD_SHARED, "the host's count of shared memory");

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

__device__ __forceinline__ real power_of_two(real v) {
#if IO == 3 || defined(EMULATED)
    return exp2(v);
#else
    float f;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(f) : "f"(v));
    return f;
#endif
}

// Reads V channels of a token; zero beyond the last channel.
__device__ __forceinline__ void read_channels(real (&out)[V], const io* p, int channel, int channels) {
    if (channel + V <= channels && channels % V == 0) {
        struct alignas(V * sizeof(io) > 16 ? 16 : V * sizeof(io)) Pack { io v[V]; };
        const Pack pack = *reinterpret_cast<const Pack*>(p);
#pragma unroll
        for (int i = 0; i < V; ++i) out[i] = read(&pack.v[i]);
    } else {
#pragma unroll
        for (int i = 0; i < V; ++i) out[i] = channel + i < channels ? read(p + i) : real(0);
    }
}

template <int COUNT>
__device__ __forceinline__ void put(real* to, const real (&from)[COUNT]) {
    struct alignas(COUNT * sizeof(real) > 16 ? 16 : COUNT * sizeof(real)) Pack { real v[COUNT]; } pack;
#pragma unroll
    for (int i = 0; i < COUNT; ++i) pack.v[i] = from[i];
    *reinterpret_cast<Pack*>(to) = pack;
}

__device__ __forceinline__ Four four(const real* p) { return *reinterpret_cast<const Four*>(p); }
__device__ __forceinline__ Two two(const real* p) { return *reinterpret_cast<const Two*>(p); }

// Sums COUNT values over the lanes whose numbers differ in the bits OFF ... END / 2; each lane is left with the sums
// of its share, from v[0] on.
template <int COUNT, int OFF, int END>
__device__ __forceinline__ void sum_lanes(real* v, int lane) {
    if constexpr (OFF < END) {
        if constexpr (COUNT > 1) {
            const bool upper = lane & OFF;
#pragma unroll
            for (int i = 0; i < COUNT / 2; ++i) {
                const real give = upper ? v[i] : v[i + COUNT / 2];
                const real keep = upper ? v[i + COUNT / 2] : v[i];
                v[i] = keep + __shfl_xor_sync(0xffffffffu, give, OFF);
            }
            sum_lanes<COUNT / 2, 2 * OFF, END>(v, lane);
        } else {
            v[0] += __shfl_xor_sync(0xffffffffu, v[0], OFF);
            sum_lanes<1, 2 * OFF, END>(v, lane);
        }
    }
}

// The first of the values that sum_lanes leaves to a lane.
template <int COUNT, int OFF, int END>
__device__ __forceinline__ int share(int lane) {
    if constexpr (OFF < END && COUNT > 1)
        return (lane & OFF ? COUNT / 2 : 0) + share<COUNT / 2, 2 * OFF, END>(lane);
    else
        return 0;
}

template <int COUNT, int LANES>
__device__ constexpr int left() { return COUNT > LANES ? COUNT / LANES : 1; }

struct Place {
    int lane, channel_warp, time_warp;
    int state;    // the first of this lane's four
    int channel;  // the first of this lane's two, in the block
    __device__ __forceinline__ Place() {
        const int warp = threadIdx.x / 32;
        lane = threadIdx.x % 32;
        channel_warp = warp % CW;
        time_warp = warp / CW;
        state = 4 * (lane % LS);
        channel = channel_warp * CHW + 2 * (lane / LS);
    }
    // Where a lane's states of its channel j lie in a row of ELEMENTS: without bank conflicts.
    __device__ __forceinline__ int element(int j) const {
        return ((channel_warp * 2 + j) * LC + lane / LS) * NP + state;
    }
};

__device__ __forceinline__ int channel_of(int element) {
    const int row = element / NP;
    return row / (2 * LC) * CHW + row % LC * 2 + row / LC % 2;
}

struct Block {
    int batch, direction, group;  // the image, the direction, the block of channels
    int images, length, channels, groups, height, width, depth;

    __device__ __forceinline__ Block(int images, int length, int channels, int height, int width, int depth)
        : images(images), length(length), channels(channels), height(height), width(width), depth(depth) {
        groups = (channels + CB - 1) / CB;
        group = blockIdx.x % groups;
        direction = blockIdx.x / groups % K;
        batch = blockIdx.x / groups / K;
    }

    // The place in the image of a direction's token; -1 beyond the last.
    __device__ __forceinline__ int token(int position) const {
        if (position >= length) return -1;
        const int axis = DIMS - 1 - direction % DIMS;  // the one that varies fastest
        unsigned l = direction >= DIMS ? length - 1 - position : position;
#if DIMS == 2
        return axis == 1 ? l : l % height * width + l / height;
#else
        const unsigned fast = axis == 2 ? depth : axis == 1 ? width : height;
        const unsigned middle = axis == 2 ? width : depth;
        const unsigned f = l % fast, m = l / fast % middle, s = l / fast / middle;
        if (axis == 2) return l;
        if (axis == 1) return (s * width + f) * depth + m;
        return (f * width + s) * depth + m;
#endif
    }

    __device__ __forceinline__ long long feature(int token) const {
        return (static_cast<long long>(batch) * length + token) * channels + group * CB;
    }
    __device__ __forceinline__ long long own_feature(int token) const {
        return ((static_cast<long long>(direction) * images + batch) * length + token) * channels + group * CB;
    }
    __device__ __forceinline__ long long row(int token) const {
        return ((static_cast<long long>(batch) * length + token) * K + direction) * RN;
    }
    __device__ __forceinline__ long long parameter(int channel) const {
        return static_cast<long long>(direction) * channels + group * CB + channel;
    }
    __device__ __forceinline__ bool has(int channel) const { return group * CB + channel < channels; }
};

// Before the first segment: the padding, the step's weights, the first tokens' places.
__device__ __forceinline__ void prepare(Inputs& in, const Block& block, const real* weight, int first) {
    for (int i = threadIdx.x; i < T * ROW; i += NT) (&in.rows[0][0])[i] = 0;
    for (int i = threadIdx.x; i < RP * CB; i += NT) {
        const int r = i / CB, c = i % CB;
        in.weight[r][c] = r < R && block.has(c) ? weight[block.parameter(c) * R + r] : real(0);
    }
    for (int i = threadIdx.x; i < T; i += NT) in.token[0][i] = block.token(first + i);
    __syncthreads();
}

// Brings r, B and C of the segment's tokens into shared memory.
__device__ __forceinline__ void stage_rows(Inputs& in, const Block& block, const io* x_dbl, const int* tokens) {
    for (int i = threadIdx.x; i < T * RN; i += NT) {
        const int t = i / RN, c = i % RN;
        const int column = c < R ? c : c < R + N ? c - R + RP : c - R - N + RP + NP;
        in.rows[t][column] = tokens[t] < 0 ? real(0) : read(x_dbl + block.row(tokens[t]) + c);
    }
}

// Brings x into shared memory and computes the steps; SLOPE also keeps softplus' derivative and brings dy.
template <bool SLOPE, class Shared>
__device__ __forceinline__ void stage_features(Shared& in, const Block& block, const io* x, const io* dy,
                                               const real* bias, const int* tokens) {
    for (int i = threadIdx.x; i < T * (CB / V); i += NT) {
        const int t = i / (CB / V), c = i % (CB / V) * V;
        const int channel = block.group * CB + c;
        real value[V] = {}, step[V] = {}, slope[V] = {}, grad[V] = {};
        if (tokens[t] >= 0) {
            const long long at = block.feature(tokens[t]) + c;
            read_channels(value, x + at, channel, block.channels);
            if (SLOPE) read_channels(grad, dy + at, channel, block.channels);
            real raw[V];
#pragma unroll
            for (int j = 0; j < V; ++j) raw[j] = channel + j < block.channels ? bias[block.parameter(c + j)] : real(0);
#pragma unroll
            for (int r = 0; r < RP; r += 4) {
                const Four low = four(&in.rows[t][r]);
#pragma unroll
                for (int q = 0; q < 4; ++q)
#pragma unroll
                    for (int j = 0; j < V; ++j) raw[j] += low.v[q] * in.weight[r + q][c + j];
            }
#pragma unroll
            for (int j = 0; j < V; ++j) {
                const real e = exp(raw[j] < 20 ? raw[j] : real(20));
                const bool there = channel + j < block.channels;
                step[j] = !there ? real(0) : raw[j] > 20 ? raw[j] : log1p(e);
                // A step that is no number must reach the result.
                if (raw[j] != raw[j]) step[j] = raw[j];
                slope[j] = raw[j] > 20 ? real(1) : e / (1 + e);
            }
        }
        put(&in.x[t][c], value);
        put(&in.dt[t][c], step);
        if constexpr (SLOPE) {
            put(&in.slope[t][c], slope);
            put(&in.dy[t][c], grad);
        }
    }
}

// Reads a lane's rates, times log2(e), for powers of two in place of exponentials.
__device__ __forceinline__ void read_rates(real (&rate)[2][4], const Block& block, const Place& place, const real* A) {
#pragma unroll
    for (int j = 0; j < 2; ++j)
#pragma unroll
        for (int s = 0; s < 4; ++s) {
            const bool there = block.has(place.channel + j) && place.state + s < N;
            rate[j][s] = there ? A[block.parameter(place.channel + j) * N + place.state + s] * LOG2E : real(0);
        }
}

__device__ __forceinline__ real rate_of(const Block& block, int element, const real* A) {
    const int channel = channel_of(element), n = element % NP;
    return block.has(channel) && n < N ? A[block.parameter(channel) * N + n] * LOG2E : real(0);
}

constexpr int OWN = (ELEMENTS + NT - 1) / NT;  // states that a thread chains

__device__ __forceinline__ long long kept_state(const Block& block, int position, int element) {
    const long long saves = (block.length + SAVE - 1) / SAVE;
    const long long row = (static_cast<long long>(block.batch) * K + block.direction) * saves + position / SAVE;
    return (row * block.channels + block.group * CB + channel_of(element)) * N + element % NP;
}

extern "C" __global__ void __launch_bounds__(NT) scan_forward(
    const io* __restrict__ x, const io* __restrict__ x_dbl, const real* __restrict__ weight,
    const real* __restrict__ bias, const real* __restrict__ A, const real* __restrict__ skip, io* __restrict__ y,
    real* __restrict__ states, int images, int length, int channels, int height, int width, int depth) {
    SHARED_MEMORY;
    Inputs& in = *reinterpret_cast<Inputs*>(memory);
    const Block block(images, length, channels, height, width, depth);
    const Place place;
    real rate[2][4], own_rate[OWN], own[OWN];
    read_rates(rate, block, place, A);
#pragma unroll
    for (int i = 0; i < OWN; ++i) {
        own[i] = 0;
        own_rate[i] = threadIdx.x + i * NT < ELEMENTS ? rate_of(block, threadIdx.x + i * NT, A) : real(0);
    }
    // Sums of GROUP tokens at a time leave each lane of a channel with one of them.
    constexpr int GROUP = LS >= 2 * M ? M : LS > 2 ? LS / 2 : 1;
    constexpr int LEFT = left<2 * GROUP, LS>();
    const int first_sum = share<2 * GROUP, 1, LS>(place.lane);
    prepare(in, block, weight, 0);

    for (int start = 0, turn = 0; start < length; start += T, turn ^= 1) {
        const int* tokens = in.token[turn];
        stage_rows(in, block, x_dbl, tokens);
        __syncthreads();
        stage_features<false>(in, block, x, nullptr, bias, tokens);
        for (int i = threadIdx.x; i < T; i += NT) in.token[turn ^ 1][i] = block.token(start + T + i);
        __syncthreads();

        real decay[M][2][4], h[2][4] = {}, total[2] = {};
#pragma unroll
        for (int m = 0; m < M; ++m) {
            const int t = place.time_warp * M + m;
            const Two dt = two(&in.dt[t][place.channel]), value = two(&in.x[t][place.channel]);
            const Four B = four(&in.rows[t][RP + place.state]);
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                const real u = dt.v[j] * value.v[j];
                total[j] += dt.v[j];
#pragma unroll
                for (int s = 0; s < 4; ++s) {
                    decay[m][j][s] = power_of_two(dt.v[j] * rate[j][s]);
                    h[j][s] = decay[m][j][s] * h[j][s] + u * B.v[s];
                }
            }
        }
#pragma unroll
        for (int j = 0; j < 2; ++j) {
            put(&in.carry[place.time_warp][place.element(j)], h[j]);
            if (place.state == 0) in.step[place.time_warp][place.channel + j] = total[j];
        }
        __syncthreads();

#pragma unroll
        for (int i = 0; i < OWN; ++i) {
            const int e = threadIdx.x + i * NT;
            if (e >= ELEMENTS) break;
            const int channel = channel_of(e);
            if (states && start % SAVE == 0 && block.has(channel) && e % NP < N)
                states[kept_state(block, start, e)] = own[i];
#pragma unroll
            for (int w = 0; w < W; ++w) {
                const real end = in.carry[w][e];
                in.carry[w][e] = own[i];
                own[i] = power_of_two(own_rate[i] * in.step[w][channel]) * own[i] + end;
            }
        }
        __syncthreads();
        if (!y) continue;  // the states alone were asked for

#pragma unroll
        for (int j = 0; j < 2; ++j) {
            const Four from = four(&in.carry[place.time_warp][place.element(j)]);
#pragma unroll
            for (int s = 0; s < 4; ++s) h[j][s] = from.v[s];
        }
#pragma unroll
        for (int m0 = 0; m0 < M; m0 += GROUP) {
            real sums[2 * GROUP];
#pragma unroll
            for (int p = 0; p < GROUP; ++p) {
                const int m = m0 + p, t = place.time_warp * M + m;
                const Two dt = two(&in.dt[t][place.channel]), value = two(&in.x[t][place.channel]);
                const Four B = four(&in.rows[t][RP + place.state]), C = four(&in.rows[t][RP + NP + place.state]);
#pragma unroll
                for (int j = 0; j < 2; ++j) {
                    const real u = dt.v[j] * value.v[j];
                    real sum = 0;
#pragma unroll
                    for (int s = 0; s < 4; ++s) {
                        h[j][s] = decay[m][j][s] * h[j][s] + u * B.v[s];
                        sum += h[j][s] * C.v[s];
                    }
                    sums[2 * p + j] = sum;
                }
            }
            sum_lanes<2 * GROUP, 1, LS>(sums, place.lane);
#pragma unroll
            for (int i = 0; i < LEFT; ++i) {
                const int which = first_sum + i, t = place.time_warp * M + m0 + which / 2;
                const int channel = place.channel + which % 2;
                if (tokens[t] >= 0 && block.has(channel))
                    write(y + block.own_feature(tokens[t]) + channel,
                          sums[i] + skip[block.parameter(channel)] * in.x[t][channel]);
            }
        }
        __syncthreads();
    }
}

extern "C" __global__ void __launch_bounds__(NT) scan_backward(
    const io* __restrict__ x, const io* __restrict__ x_dbl, const real* __restrict__ weight,
    const real* __restrict__ bias, const real* __restrict__ A, const real* __restrict__ skip,
    const io* __restrict__ dy, const real* __restrict__ states, io* __restrict__ dx, real* __restrict__ dx_dbl,
    real* __restrict__ dA, real* __restrict__ dparameters, int images, int length, int channels, int height, int width,
    int depth) {
    SHARED_MEMORY;
    Gradients& in = *reinterpret_cast<Gradients*>(memory);
    const Block block(images, length, channels, height, width, depth);
    const Place place;
    real rate[2][4], drate[2][4] = {}, own_rate[OWN], own[OWN];
    read_rates(rate, block, place, A);
#pragma unroll
    for (int i = 0; i < OWN; ++i) {
        own[i] = 0;
        own_rate[i] = threadIdx.x + i * NT < ELEMENTS ? rate_of(block, threadIdx.x + i * NT, A) : real(0);
    }
    for (int i = threadIdx.x; i < (R + 2) * SLICES * CB; i += NT) (&in.parameters[0][0][0])[i] = 0;
    const int last = (length - 1) / T * T;
    prepare(in, block, weight, last);

    for (int start = last, turn = 0; start >= 0; start -= T, turn ^= 1) {
        const int* tokens = in.token[turn];
        stage_rows(in, block, x_dbl, tokens);
        __syncthreads();
        stage_features<true>(in, block, x, dy, bias, tokens);
        if (start > 0)
            for (int i = threadIdx.x; i < T; i += NT) in.token[turn ^ 1][i] = block.token(start - T + i);
        real begin[OWN];
#pragma unroll
        for (int i = 0; i < OWN; ++i) {
            const int e = threadIdx.x + i * NT;
            const bool there = e < ELEMENTS && block.has(channel_of(e)) && e % NP < N;
            begin[i] = there ? states[kept_state(block, start, e)] : real(0);
        }
        __syncthreads();

        // From zero states: the scan's end, and the adjoint's end in the other sense.
        real decay[M][2][4];
        {
            real h[2][4] = {}, g[2][4] = {}, total[2] = {};
#pragma unroll
            for (int m = 0; m < M; ++m) {
                const int t = place.time_warp * M + m;
                const Two dt = two(&in.dt[t][place.channel]), value = two(&in.x[t][place.channel]);
                const Four B = four(&in.rows[t][RP + place.state]);
#pragma unroll
                for (int j = 0; j < 2; ++j) {
                    const real u = dt.v[j] * value.v[j];
                    total[j] += dt.v[j];
#pragma unroll
                    for (int s = 0; s < 4; ++s) {
                        decay[m][j][s] = power_of_two(dt.v[j] * rate[j][s]);
                        h[j][s] = decay[m][j][s] * h[j][s] + u * B.v[s];
                    }
                }
            }
#pragma unroll
            for (int m = M - 1; m >= 0; --m) {
                const int t = place.time_warp * M + m;
                const Two grad = two(&in.dy[t][place.channel]);
                const Four C = four(&in.rows[t][RP + NP + place.state]);
#pragma unroll
                for (int j = 0; j < 2; ++j)
#pragma unroll
                    for (int s = 0; s < 4; ++s) g[j][s] = decay[m][j][s] * (g[j][s] + grad.v[j] * C.v[s]);
            }
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                put(&in.carry[place.time_warp][place.element(j)], h[j]);
                put(&in.carry_back[place.time_warp][place.element(j)], g[j]);
                if (place.state == 0) in.step[place.time_warp][place.channel + j] = total[j];
            }
        }
        __syncthreads();

#pragma unroll
        for (int i = 0; i < OWN; ++i) {
            const int e = threadIdx.x + i * NT;
            if (e >= ELEMENTS) break;
            const int channel = channel_of(e);
            real all[W];
#pragma unroll
            for (int w = 0; w < W; ++w) {
                all[w] = power_of_two(own_rate[i] * in.step[w][channel]);
                const real end = in.carry[w][e];
                in.carry[w][e] = begin[i];
                begin[i] = all[w] * begin[i] + end;
            }
#pragma unroll
            for (int w = W - 1; w >= 0; --w) {
                const real end = in.carry_back[w][e];
                in.carry_back[w][e] = own[i];
                own[i] = all[w] * own[i] + end;
            }
        }
        __syncthreads();

        real h[M + 1][2][4], g[2][4];
#pragma unroll
        for (int j = 0; j < 2; ++j) {
            const Four from = four(&in.carry[place.time_warp][place.element(j)]);
            const Four back = four(&in.carry_back[place.time_warp][place.element(j)]);
#pragma unroll
            for (int s = 0; s < 4; ++s) {
                h[0][j][s] = from.v[s];
                g[j][s] = back.v[s];
            }
        }
#pragma unroll
        for (int m = 0; m < M; ++m) {
            const int t = place.time_warp * M + m;
            const Two dt = two(&in.dt[t][place.channel]), value = two(&in.x[t][place.channel]);
            const Four B = four(&in.rows[t][RP + place.state]);
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                const real u = dt.v[j] * value.v[j];
#pragma unroll
                for (int s = 0; s < 4; ++s) h[m + 1][j][s] = decay[m][j][s] * h[m][j][s] + u * B.v[s];
            }
        }
#pragma unroll
        for (int m = M - 1; m >= 0; --m) {
            const int t = place.time_warp * M + m;
            const Two dt = two(&in.dt[t][place.channel]), value = two(&in.x[t][place.channel]);
            const Two grad = two(&in.dy[t][place.channel]);
            const Four B = four(&in.rows[t][RP + place.state]), C = four(&in.rows[t][RP + NP + place.state]);
            real over_channels[8] = {};  // of B, then of C
            real over_states[4];         // of dt * x for both channels, then of dt
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                const real u = dt.v[j] * value.v[j];
                real of_input = 0, of_exponent = 0;
#pragma unroll
                for (int s = 0; s < 4; ++s) {
                    const real all = grad.v[j] * C.v[s] + g[j][s];
                    over_channels[s] += all * u;
                    over_channels[4 + s] += grad.v[j] * h[m + 1][j][s];
                    of_input += all * B.v[s];
                    g[j][s] = decay[m][j][s] * all;
                    const real exponent = g[j][s] * h[m][j][s];
                    of_exponent += exponent * rate[j][s];
                    drate[j][s] += exponent * dt.v[j];
                }
                over_states[j] = of_input;
                over_states[2 + j] = of_input * value.v[j] + of_exponent * LN2;
            }
            sum_lanes<8, LS, 32>(over_channels, place.lane);
#pragma unroll
            for (int i = 0; i < left<8, LC>(); ++i) {
                const int which = share<8, LS, 32>(place.lane) + i;
                in.sums[place.channel_warp][t][which / 4 * NP + place.state + which % 4] = over_channels[i];
            }
            sum_lanes<4, 1, LS>(over_states, place.lane);
#pragma unroll
            for (int i = 0; i < left<4, LS>(); ++i) {
                const int which = share<4, 1, LS>(place.lane) + i;
                const int channel = place.channel + which % 2;
                if (which >= 2)
                    in.delta[t][channel] = over_states[i] * in.slope[t][channel];
                else if (tokens[t] >= 0 && block.has(channel))
                    write(dx + block.own_feature(tokens[t]) + channel,
                          over_states[i] * in.dt[t][channel] + skip[block.parameter(channel)] * in.dy[t][channel]);
            }
        }
        __syncthreads();

        for (int i = threadIdx.x; i < T * RN; i += NT) {
            const int t = i / RN, c = i % RN;
            if (tokens[t] < 0) continue;
            real sum = 0;
            if (c < R) {
#pragma unroll
                for (int d = 0; d < CB; d += 2) {
                    const Two of_step = two(&in.delta[t][d]), w = two(&in.weight[c][d]);
                    sum += of_step.v[0] * w.v[0] + of_step.v[1] * w.v[1];
                }
            } else {
                const int column = c < R + N ? c - R : c - R - N + NP;
#pragma unroll
                for (int w = 0; w < CW; ++w) sum += in.sums[w][t][column];
            }
            dx_dbl[block.group * (static_cast<long long>(images) * length * K * RN) + block.row(tokens[t]) + c] = sum;
        }
        {
            const int slice = threadIdx.x / CB, c = threadIdx.x % CB;
            real sums[R + 2] = {};
            for (int t = slice; t < T; t += SLICES) {
                const real of_step = in.delta[t][c];
#pragma unroll
                for (int r = 0; r < R; ++r) sums[r] += of_step * in.rows[t][r];
                sums[R] += of_step;
                sums[R + 1] += in.dy[t][c] * in.x[t][c];
            }
#pragma unroll
            for (int r = 0; r < R + 2; ++r) in.parameters[r][slice][c] += sums[r];
        }
        __syncthreads();
    }

#pragma unroll
    for (int j = 0; j < 2; ++j) put(&in.carry[place.time_warp][place.element(j)], drate[j]);
    __syncthreads();
    for (int e = threadIdx.x; e < ELEMENTS; e += NT) {
        const int channel = channel_of(e), n = e % NP;
        if (!block.has(channel) || n >= N) continue;
        real sum = 0;
        for (int w = 0; w < W; ++w) sum += in.carry[w][e];
        dA[(static_cast<long long>(block.batch) * K * channels + block.parameter(channel)) * N + n] = sum;
    }
    for (int i = threadIdx.x; i < (R + 2) * CB; i += NT) {
        const int r = i / CB, c = i % CB;
        if (!block.has(c)) continue;
        real sum = 0;
        for (int s = 0; s < SLICES; ++s) sum += in.parameters[r][s][c];
        dparameters[(static_cast<long long>(block.batch) * K * channels + block.parameter(c)) * (R + 2) + r] = sum;
    }
}
