// The cross selective scan on a GPU, forward and backward, compiled at run time for one problem.
//
// A block owns one image, one direction and CB channels, and walks the direction's tokens in segments of T = W * M.
// In a segment every one of the W "time warps" takes M tokens and scans them from a zero state; the W ends are then
// chained (one thread for each state), and each warp adds what the chain brings in. No value depends on the order in
// which threads run: there are no atomics.
//
// In a warp a lane holds 2 channels x 4 states: LS lanes span the NP states, LC lanes span the warp's channels.
//
// With W = 1 there is nothing to chain: a warp scans all tokens, one after the other, and keeps its states. The fast
// exponential is a little off to one side, which adds up over a long memory. In float32 (ANCHORED) a segment is therefore
// scanned from zero beside, and its end put together from that and one exponential of the segment's steps.
//
// Where images and channels give too few blocks, a direction is cut into chunks with a block for each. A first launch
// (ENDS 1) scans every chunk but the last from a zero state and leaves its end and its sum of steps; `join_ends` makes of
// them what every chunk begins with, and in a last launch a block goes on from there. For the backward pass ENDS 2 leaves
// as well where the adjoint, which goes from the last token to the first, ends in every chunk: with the same exponentials.
//
// Set by the host: BACKWARD (0, 1: which kernel), IO (0 float, 1 bfloat16, 2 half, 3 double), DIMS (2, 3), N, R, W, M,
// CW, WHOLE (4 divides the channels), BLOCKS (on a multiprocessor at a time), SAVE (tokens between the states that the
// forward pass keeps), ENDS (0, 1, 2) and SHARED (bytes, checked below).

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
constexpr int SLICES = NT > CB ? NT / CB : 1;  // in which a segment's tokens are summed for the parameters
constexpr int VR = R % 4 == 0 && N % 4 == 0 ? 4 : R % 2 == 0 && N % 2 == 0 ? 2 : 1;  // values of a row moved at once
constexpr int ROW_LOADS = (T * RN / VR + NT - 1) / NT;       // groups of VR values of rows that a thread brings
constexpr int FEATURE_LOADS = (T * CB / V + NT - 1) / NT;    // groups of V channels that it brings
#if IO == 0 || defined(EMULATED)
constexpr bool ANCHORED = W == 1;
#else
constexpr bool ANCHORED = false;
#endif
constexpr real LOG2E = 1.4426950408889634, LN2 = 0.6931471805599453;

static_assert(SAVE % T == 0 || (W == 1 && T % SAVE == 0), "states are kept where a warp has them");
static_assert(T <= NT, "a thread finds one token's place");
static_assert(ENDS < 2 || W == 1, "the adjoint's ends are a matter of one time warp");

struct Inputs {
    alignas(16) real rows[T][ROW];
    real x[T][CB], dt[T][CB];
    real weight[RP][CB], bias[CB], skip[CB];
    real carry[W][ELEMENTS];
    real step[W][CB];
    int token[3][T];
};

struct Adjoint : Inputs {
    alignas(16) real dy[T][CB];
};

struct Gradients : Adjoint {
    alignas(16) real slope[T][CB];
    real carry_back[W][ELEMENTS];
    real sums[CW][T][2 * NP];
    real parameters[R + 2][SLICES][CB];
};

#if BACKWARD
typedef Gradients Shared;
#elif ENDS == 2
typedef Adjoint Shared;
#else
typedef Inputs Shared;
#endif
static_assert(sizeof(Shared) == SHARED, "the host's count of shared memory");

__device__ __forceinline__ real power_of_two(real v) {
#if IO == 3 || defined(EMULATED)
    return exp2(v);
#else
    float f;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(f) : "f"(v));
    return f;
#endif
}

__device__ __forceinline__ real quotient(real a, real b) {
#if IO == 3 || defined(EMULATED)
    return a / b;
#else
    return __fdividef(a, b);
#endif
}

// log(1 + exp(v)) and its derivative.
__device__ __forceinline__ void softplus(real v, real& value, real& slope) {
#if IO == 3
    const real z = exp(v < 0 ? v : -v);
    const real rest = log1p(z);
#else
    const real a = -fminf(fabsf(v), 100.0f);
#if IO == 0
    const real power = a * LOG2E;  // and what its rounding leaves, so that exp(a) is good to the last bits
    const real lost = fmaf(a, LOG2E, -power) + a * 1.925963033500887e-8f;
    real z = power_of_two(power);
    z = fmaf(z, lost * LN2, z);
    // log(1 + z) = 2 artanh(s), s = z / (2 + z) <= 1 / 3
    const real s = quotient(z, 2 + z), q = s * s;
    real series = 1.0f / 13;
    series = fmaf(series, q, 1.0f / 11);
    series = fmaf(series, q, 1.0f / 9);
    series = fmaf(series, q, 1.0f / 7);
    series = fmaf(series, q, 1.0f / 5);
    series = fmaf(series, q, 1.0f / 3);
    const real rest = 2 * fmaf(series * q, s, s);
#else
    const real z = power_of_two(a * LOG2E);
    // log(1 + z) / z
    real series = -0.023443656f;
    series = fmaf(series, z, 0.100139733f);
    series = fmaf(series, z, -0.209079536f);
    series = fmaf(series, z, 0.324849581f);
    series = fmaf(series, z, -0.499314652f);
    series = fmaf(series, z, 0.999990592f);
    const real rest = series * z;
#endif
#endif
    value = (v > 0 ? v : 0) + rest;
    slope = quotient(v > 0 ? real(1) : z, 1 + z);
    if (v != v) value = v;  // a step that is no number must reach the result
}

__device__ __forceinline__ void zero(real (&v)[2][4]) {
#pragma unroll
    for (int i = 0; i < 8; ++i) v[i / 4][i % 4] = 0;
}

typedef Group<real, 4> Four;
typedef Group<real, 2> Two;

typedef Raw<V> Pack;
typedef Raw<VR> RowPack;

// Loads V channels of a token as they are. Beyond the last channel comes another one's value.
__device__ __forceinline__ Pack load_channels(const io* token, int first, int channels) {
    if constexpr (WHOLE) {  // V divides the channels: all V are there, or none
        return *reinterpret_cast<const Pack*>(token + (first < channels ? first : 0));
    } else {
        union { Group<io, V> one; Pack all; } pack;
#pragma unroll
        for (int i = 0; i < V; ++i) pack.one.v[i] = token[first + i < channels ? first + i : 0];
        return pack.all;
    }
}

// Stores those of V channels of a token that are there.
__device__ __forceinline__ void store_channels(io* token, int first, int channels, const real (&value)[V]) {
    Group<io, V> pack;
#pragma unroll
    for (int i = 0; i < V; ++i) write(&pack.v[i], value[i]);
    if constexpr (WHOLE) {
        if (first < channels) *reinterpret_cast<Group<io, V>*>(token + first) = pack;
    } else {
#pragma unroll
        for (int i = 0; i < V; ++i)
            if (first + i < channels) token[first + i] = pack.v[i];
    }
}

template <int COUNT>
__device__ __forceinline__ void put(real* to, const real (&from)[COUNT]) {
    Group<real, COUNT> group;
#pragma unroll
    for (int i = 0; i < COUNT; ++i) group.v[i] = from[i];
    *reinterpret_cast<Group<real, COUNT>*>(to) = group;
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
    int batch, direction, group, chunk;  // the image, the direction, the block of channels, the part of the tokens
    int images, length, channels, groups, height, width, depth;

    __device__ __forceinline__ Block(int images, int length, int channels, int height, int width, int depth)
        : images(images), length(length), channels(channels), height(height), width(width), depth(depth) {
        groups = (channels + CB - 1) / CB;
        group = blockIdx.x % groups;
        direction = blockIdx.x / groups % K;
        batch = blockIdx.x / groups / K % images;
        chunk = blockIdx.x / groups / K / images;
    }

    // The place in the image of a direction's token; beyond either end, that of a token which is there.
    __device__ __forceinline__ int token(int position) const {
        position = position < 0 ? 0 : position < length ? position : length - 1;
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

    // Where this block's image of a map (B, L, D), its part of a direction's own map (K, B, L, D) and of the rows (B, L, K, RN)
    // begins; a token is `channels`, or K * RN, values further on.
    __device__ __forceinline__ long long features() const {
        return static_cast<long long>(batch) * length * channels;
    }
    __device__ __forceinline__ long long own_features() const {
        return (static_cast<long long>(direction) * images + batch) * length * channels + group * CB;
    }
    __device__ __forceinline__ long long rows() const {
        return (static_cast<long long>(batch) * length * K + direction) * RN;
    }
    __device__ __forceinline__ long long parameter(int channel) const {
        return static_cast<long long>(direction) * channels + group * CB + channel;
    }
    __device__ __forceinline__ bool has(int channel) const { return group * CB + channel < channels; }
};

// Before the first segment: the padding, the step's weights, the places of the first tokens and, `ahead` further on,
// of the next ones.
__device__ __forceinline__ void prepare(Inputs& in, const Block& block, const real* weight, const real* bias,
                                        const real* skip, int first, int ahead) {
    for (int i = threadIdx.x; i < T * ROW; i += NT) (&in.rows[0][0])[i] = 0;
    for (int i = threadIdx.x; i < RP * CB; i += NT) {
        const int r = i / CB, c = i % CB;
        in.weight[r][c] = r < R && block.has(c) ? weight[block.parameter(c) * R + r] : real(0);
    }
    for (int c = threadIdx.x; c < CB; c += NT) {
        in.bias[c] = block.has(c) ? bias[block.parameter(c)] : real(0);
        in.skip[c] = block.has(c) ? skip[block.parameter(c)] : real(0);
    }
    if (threadIdx.x < T) {
        in.token[0][threadIdx.x] = block.token(first + int(threadIdx.x));
        in.token[1][threadIdx.x] = block.token(first + ahead + int(threadIdx.x));
    }
    __syncthreads();
}

// What a thread brings of a segment: loaded while the segment before it is scanned, then put into shared memory.
struct Staging {
    static constexpr bool ADJOINT = BACKWARD || ENDS == 2;

    RowPack rows[ROW_LOADS];
    Pack x[FEATURE_LOADS], dy[ADJOINT ? FEATURE_LOADS : 1];
    int channel;  // the first of V in the block, the same for every load

    __device__ __forceinline__ Staging() : channel(threadIdx.x % (CB / V) * V) {}

    __device__ __forceinline__ void load(const Block& block, const io* of_x, const io* of_rows, const io* of_dy,
                                         const int* tokens) {
#pragma unroll
        for (int i = 0; i < ROW_LOADS; ++i) {
            const int at = (threadIdx.x + i * NT) * VR, t = at / RN, c = at % RN;
            if ((i + 1) * NT * VR <= T * RN || at < T * RN)
                rows[i] = *reinterpret_cast<const RowPack*>(of_rows + tokens[t] * (K * RN) + c);
        }
#pragma unroll
        for (int i = 0; i < FEATURE_LOADS; ++i) {
            const int t = (threadIdx.x + i * NT) / (CB / V);
            if ((i + 1) * NT > T * (CB / V) && t >= T) continue;
            const int at = tokens[t] * block.channels, first = block.group * CB + channel;
            x[i] = load_channels(of_x + at, first, block.channels);
            if (ADJOINT) dy[i] = load_channels(of_dy + at, first, block.channels);
        }
    }

    __device__ __forceinline__ void put_rows(Inputs& in, int tokens) const {
#pragma unroll
        for (int i = 0; i < ROW_LOADS; ++i) {
            const int at = (threadIdx.x + i * NT) * VR, t = at / RN, c = at % RN;
            const int column = c + (c < R ? 0 : RP - R) + (c < R + N ? 0 : NP - N);
            if ((i + 1) * NT * VR > T * RN && at >= T * RN) continue;
            real value[VR];
#pragma unroll
            for (int j = 0; j < VR; ++j) value[j] = t < tokens ? rows[i][j] : real(0);
            put(&in.rows[t][column], value);
        }
    }

    // Puts x and the steps, for the adjoint dy, and for the gradients softplus' derivative; the rows must be there.
    template <class Target>
    __device__ __forceinline__ void put_features(Target& in, const Block& block, int tokens) const {
#pragma unroll
        for (int i = 0; i < FEATURE_LOADS; ++i) {
            const int t = (threadIdx.x + i * NT) / (CB / V);
            if ((i + 1) * NT > T * (CB / V) && t >= T) continue;
            real value[V], step[V], slope[V], raw[V];
            const auto bias = *reinterpret_cast<const Group<real, V>*>(&in.bias[channel]);
#pragma unroll
            for (int j = 0; j < V; ++j) {
                value[j] = t < tokens && block.has(channel + j) ? x[i][j] : real(0);
                raw[j] = bias.v[j];
            }
#pragma unroll
            for (int r = 0; r < RP; r += 4) {
                const Four low = four(&in.rows[t][r]);
#pragma unroll
                for (int q = 0; q < 4; ++q) {
                    const Group<real, V> w = *reinterpret_cast<const Group<real, V>*>(&in.weight[r + q][channel]);
#pragma unroll
                    for (int j = 0; j < V; ++j) raw[j] += low.v[q] * w.v[j];
                }
            }
#pragma unroll
            for (int j = 0; j < V; ++j) {
                softplus(raw[j], step[j], slope[j]);
                if (t >= tokens || !block.has(channel + j)) step[j] = 0;
            }
            put(&in.x[t][channel], value);
            put(&in.dt[t][channel], step);
            if constexpr (ADJOINT) {
                real grad[V];
#pragma unroll
                for (int j = 0; j < V; ++j) grad[j] = t < tokens && block.has(channel + j) ? dy[i][j] : real(0);
                if constexpr (BACKWARD) put(&in.slope[t][channel], slope);
                put(&in.dy[t][channel], grad);
            }
        }
    }

    // Stores what the scan has left in the place of the steps, and the skipped part of another map.
    __device__ __forceinline__ void store(const Inputs& in, const real (&skipped)[T][CB], const Block& block, io* to,
                                          const int* tokens, int count) const {
#pragma unroll
        for (int i = 0; i < FEATURE_LOADS; ++i) {
            const int t = (threadIdx.x + i * NT) / (CB / V);
            if (t >= T || t >= count) continue;
            const auto scanned = *reinterpret_cast<const Group<real, V>*>(&in.dt[t][channel]);
            const auto passed = *reinterpret_cast<const Group<real, V>*>(&skipped[t][channel]);
            const auto skip = *reinterpret_cast<const Group<real, V>*>(&in.skip[channel]);
            real value[V];
#pragma unroll
            for (int j = 0; j < V; ++j) value[j] = scanned.v[j] + skip.v[j] * passed.v[j];
            store_channels(to + tokens[t] * block.channels, block.group * CB + channel, block.channels, value);
        }
    }
};

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

// The states behind a segment: `held` before it, the steps of its tokens in one exponential, and the scan from zero.
__device__ __forceinline__ void anchor(real (&h)[2][4], const real* held, const real (&local)[2][4],
                                       const real (&total)[2], const real (&rate)[2][4], const Place& place) {
#pragma unroll
    for (int j = 0; j < 2; ++j) {
        const Four before = four(&held[place.element(j)]);
#pragma unroll
        for (int s = 0; s < 4; ++s) h[j][s] = power_of_two(total[j] * rate[j][s]) * before.v[s] + local[j][s];
    }
}

constexpr int OWN = (ELEMENTS + NT - 1) / NT;  // states that a thread chains

// Where the state before a token, a multiple of SAVE, is kept in (B, K, L / SAVE, D, N).
__device__ __forceinline__ long long kept_state(const Block& block, int position, int channel, int n) {
    const long long saves = (block.length + SAVE - 1) / SAVE;
    const long long row = (static_cast<long long>(block.batch) * K + block.direction) * saves + position / SAVE;
    return (row * block.channels + block.group * CB + channel) * N + n;
}

// A lane's eight states, to and from device memory. What a lane loads of states that are not there is another one's.
template <bool STORE, class Pointer>
__device__ __forceinline__ void move_states(real (&h)[2][4], Pointer states, const Block& block, const Place& place,
                                            int position) {
#pragma unroll
    for (int j = 0; j < 2; ++j) {
        const bool there = block.has(place.channel + j);
        const Pointer at = states + kept_state(block, position, there ? place.channel + j : 0, 0);
        if constexpr (N % 4 == 0) {
            const bool inside = there && place.state < N;
            if constexpr (STORE) {
                if (inside) put(&at[place.state], h[j]);
            } else {
                const Four from = four(&at[inside ? place.state : 0]);
#pragma unroll
                for (int s = 0; s < 4; ++s) h[j][s] = from.v[s];
            }
        } else {
#pragma unroll
            for (int s = 0; s < 4; ++s) {
                const bool inside = there && place.state + s < N;
                if constexpr (STORE) {
                    if (inside) at[place.state + s] = h[j][s];
                } else {
                    h[j][s] = at[inside ? place.state + s : 0];
                }
            }
        }
    }
}

// The number of chunks, and the row of one among their ends (B, K, chunks, D, N) and sums of steps (B, K, chunks, D).
__device__ __forceinline__ int chunks_of(const Block& block, int chunk_tokens) {
    return (block.length + chunk_tokens - 1) / chunk_tokens;
}
__device__ __forceinline__ long long chunk_row(const Block& block, int chunk, int chunk_tokens, int channel) {
    const long long row = (static_cast<long long>(block.batch) * K + block.direction) * chunks_of(block, chunk_tokens);
    return (row + chunk) * block.channels + block.group * CB + channel;
}

// The state of a channel before this block's chunk, or the adjoint behind it: what `join_ends` left.
__device__ __forceinline__ real begun(const Block& block, const real* ends, int chunk_tokens, int channel, int n) {
    if (!ends || !block.has(channel) || n >= N) return 0;
    return ends[chunk_row(block, block.chunk, chunk_tokens, channel) * N + n];
}

#if ENDS
constexpr int JOINED = 64;  // threads of a block of `join_ends`

// Puts in the place of each chunk's end what the chunk begins with: the ends before it; or, of the adjoint, behind it.
template <bool ADJOINT>
__device__ __forceinline__ void join(real* ends, const real* steps, int chunks, int channels, real rate) {
    real h = 0;
    for (int start = 0; start < chunks; start += 8) {  // so many are on their way at a time
        real end[8] = {}, step[8] = {};
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const long long at = ADJOINT ? chunks - 1 - start - i : start + i;
            if (start + i >= chunks - 1) continue;  // nothing comes after the last
            end[i] = ends[at * channels * N];
            step[i] = steps[at * channels];
        }
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const long long at = ADJOINT ? chunks - 1 - start - i : start + i;
            if (start + i < chunks) ends[at * channels * N] = h;
            h = power_of_two(rate * step[i]) * h + end[i];
        }
    }
}

// A thread owns one state of a channel, in one direction of one image. Ends are (B, K, chunks, D, N) of the states and,
// with ENDS 2, as many of the adjoint after them.
extern "C" __global__ void __launch_bounds__(JOINED) join_ends(
    const real* __restrict__ A, real* __restrict__ ends, const real* __restrict__ steps, int chunks, int images,
    int channels) {
    const int e = blockIdx.x * JOINED + threadIdx.x, row = e / N / channels, channel = e / N % channels;
    if (row >= images * K) return;
    const real rate = A[static_cast<long long>(row % K * channels + channel) * N + e % N] * LOG2E;
    const long long first = static_cast<long long>(row) * chunks * channels + channel;
    join<false>(ends + first * N + e % N, steps + first, chunks, channels, rate);
    if (ENDS == 2) {
        const long long adjoint = static_cast<long long>(images) * K * chunks * channels + first;
        join<true>(ends + adjoint * N + e % N, steps + first, chunks, channels, rate);
    }
}
#endif

#if !BACKWARD
extern "C" __global__ void __launch_bounds__(NT, BLOCKS) scan_forward(
    const io* __restrict__ x, const io* __restrict__ x_dbl, const real* __restrict__ weight,
    const real* __restrict__ bias, const real* __restrict__ A, const real* __restrict__ skip,
    const io* __restrict__ dy, io* __restrict__ y, real* __restrict__ states, real* __restrict__ ends,
    real* __restrict__ steps, int chunk_tokens, int images, int length, int channels, int height, int width,
    int depth) {
    SHARED_MEMORY;
    Shared& in = *reinterpret_cast<Shared*>(memory);
    const Block block(images, length, channels, height, width, depth);
    const Place place;
    const int begin = block.chunk * chunk_tokens;
    const int end = length - begin < chunk_tokens ? length : begin + chunk_tokens;
    real rate[2][4], h[2][4] = {}, own_rate[OWN], own[OWN];
    real passed[2][4], adjoint[2][4] = {};  // for ENDS 2: the decay since the chunk's begin, the adjoint there
#pragma unroll
    for (int i = 0; i < 8; ++i) passed[i / 4][i % 4] = 1;
    real all_steps[W > 1 ? OWN : 2] = {};  // of the chunk, for ENDS
    read_rates(rate, block, place, A);
#pragma unroll
    for (int i = 0; i < OWN; ++i) {
        const int e = threadIdx.x + i * NT;
        own[i] = 0;
        own_rate[i] = e < ELEMENTS ? rate_of(block, e, A) : real(0);
        if (W > 1 && !ENDS && e < ELEMENTS)
            own[i] = begun(block, ends, chunk_tokens, channel_of(e), e % NP);
    }
    if (W == 1 && !ENDS) {
#pragma unroll
        for (int i = 0; i < 8; ++i)
            h[i / 4][i % 4] = begun(block, ends, chunk_tokens, place.channel + i / 4, place.state + i % 4);
    }
    // Sums of GROUP tokens at a time leave each lane of a channel with one of them.
    constexpr int GROUP = LS >= 2 * M ? M : LS > 2 ? LS / 2 : 1;
    constexpr int LEFT = left<2 * GROUP, LS>();
    const int first_sum = share<2 * GROUP, 1, LS>(place.lane);
    real* sum_place[LEFT];
#pragma unroll
    for (int i = 0; i < LEFT; ++i)
        sum_place[i] = &in.dt[place.time_warp * M + (first_sum + i) / 2][place.channel + (first_sum + i) % 2];
    prepare(in, block, weight, bias, skip, begin, T);
    x += block.features();
    if (ENDS == 2) dy += block.features();
    x_dbl += block.rows();
    if (!ENDS && y) y += block.own_features() - block.group * CB;
    Staging staging;
    staging.load(block, x, x_dbl, dy, in.token[0]);

    for (int start = begin, turn = 0; start < end; start += T, turn = (turn + 1) % 3) {
        const int* tokens = in.token[turn];
        const int count = length - start;  // of tokens that are there, T or more but for the last segment
        staging.put_rows(in, count);
        __syncthreads();
        staging.put_features(in, block, count);
        if (start + T < end) staging.load(block, x, x_dbl, dy, in.token[(turn + 1) % 3]);
        if (threadIdx.x < T) in.token[(turn + 2) % 3][threadIdx.x] = block.token(start + 2 * T + int(threadIdx.x));
        __syncthreads();

        real decay[W > 1 ? M : 1][2][4];
        const auto fading = [&](real step, int j, int s, int m) {
            return W > 1 ? decay[W > 1 ? m : 0][j][s] : power_of_two(step * rate[j][s]);
        };
        if constexpr (W > 1) {
            real total[2] = {};
            zero(h);
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
                if (!ENDS && states && start % SAVE == 0 && block.has(channel) && e % NP < N)
                    states[kept_state(block, start, channel, e % NP)] = own[i];
#pragma unroll
                for (int w = 0; w < W; ++w) {
                    const real reached = in.carry[w][e];
                    in.carry[w][e] = own[i];
                    own[i] = power_of_two(own_rate[i] * in.step[w][channel]) * own[i] + reached;
                    if (ENDS) all_steps[i] += in.step[w][channel];
                }
            }
            __syncthreads();
            if (ENDS || !y) continue;  // the states alone were asked for

#pragma unroll
            for (int j = 0; j < 2; ++j) {
                const Four from = four(&in.carry[place.time_warp][place.element(j)]);
#pragma unroll
                for (int s = 0; s < 4; ++s) h[j][s] = from.v[s];
            }
        }
        real local[2][4], total[2] = {};
        if constexpr (ANCHORED) {
            zero(local);
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                put(&in.carry[0][place.element(j)], h[j]);
                if constexpr (ENDS == 2)
#pragma unroll
                    for (int s = 0; s < 4; ++s) passed[j][s] = power_of_two(all_steps[j] * rate[j][s]);
            }
        }
        real held[M / GROUP][LEFT];  // until the end: a store would keep later loads waiting
#pragma unroll
        for (int m0 = 0; m0 < M; m0 += GROUP) {
            real sums[2 * GROUP];
#pragma unroll
            for (int p = 0; p < GROUP; ++p) {
                const int m = m0 + p, t = place.time_warp * M + m;
                if (W == 1 && !ENDS && m % SAVE == 0 && states && (start + m) % SAVE == 0 && start + m < length)
                    move_states<true>(h, states, block, place, start + m);
                const Two dt = two(&in.dt[t][place.channel]), value = two(&in.x[t][place.channel]);
                const Four B = four(&in.rows[t][RP + place.state]), C = four(&in.rows[t][RP + NP + place.state]);
#if ENDS == 2
                const Two grad = two(&in.dy[t][place.channel]);
#endif
#pragma unroll
                for (int j = 0; j < 2; ++j) {
                    const real u = dt.v[j] * value.v[j];
                    if (ENDS && W == 1) all_steps[j] += dt.v[j];
                    total[j] += dt.v[j];
                    real sum = 0;
#pragma unroll
                    for (int s = 0; s < 4; ++s) {
                        const real decayed = fading(dt.v[j], j, s, m);
                        const real fed = u * B.v[s];
                        h[j][s] = decayed * h[j][s] + fed;
                        if (ANCHORED) local[j][s] = decayed * local[j][s] + fed;
#if ENDS == 2
                        passed[j][s] *= decayed;
                        adjoint[j][s] += passed[j][s] * (grad.v[j] * C.v[s]);
#endif
                        sum += h[j][s] * C.v[s];
                    }
                    sums[2 * p + j] = sum;
                }
            }
            if (W == 1 && (ENDS || !y)) continue;
            sum_lanes<2 * GROUP, 1, LS>(sums, place.lane);
#pragma unroll
            for (int i = 0; i < LEFT; ++i) held[m0 / GROUP][i] = sums[i];
        }
        if constexpr (ANCHORED) anchor(h, in.carry[0], local, total, rate, place);
        if (!ENDS && y && place.lane % LS < 2 * GROUP) {
#pragma unroll
            for (int i = 0; i < M / GROUP * LEFT; ++i) sum_place[i % LEFT][i / LEFT * GROUP * CB] = held[i / LEFT][i % LEFT];
        }
        __syncthreads();
        if (!ENDS && y) staging.store(in, in.x, block, y, tokens, count);
    }
    if constexpr (ENDS && W > 1) {
#pragma unroll
        for (int i = 0; i < OWN; ++i) {
            const int e = threadIdx.x + i * NT, channel = channel_of(e), n = e % NP;
            if (e >= ELEMENTS || !block.has(channel) || n >= N) continue;
            const long long row = chunk_row(block, block.chunk, chunk_tokens, channel);
            ends[row * N + n] = own[i];
            if (n == 0) steps[row] = all_steps[i];
        }
    } else if constexpr (ENDS) {
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const int channel = place.channel + i / 4, n = place.state + i % 4;
            if (!block.has(channel) || n >= N) continue;
            const long long row = chunk_row(block, block.chunk, chunk_tokens, channel);
            ends[row * N + n] = h[i / 4][i % 4];
            if (ENDS == 2) {
                const long long all = static_cast<long long>(images) * K * chunks_of(block, chunk_tokens) * channels;
                ends[(all + row) * N + n] = adjoint[i / 4][i % 4];
            }
            if (n == 0) steps[row] = all_steps[i / 4];
        }
    }
}

#else
extern "C" __global__ void __launch_bounds__(NT, BLOCKS) scan_backward(
    const io* __restrict__ x, const io* __restrict__ x_dbl, const real* __restrict__ weight,
    const real* __restrict__ bias, const real* __restrict__ A, const real* __restrict__ skip,
    const io* __restrict__ dy, const real* __restrict__ states, io* __restrict__ dx, io* __restrict__ dx_dbl,
    real* __restrict__ dA, real* __restrict__ dparameters, const real* __restrict__ ends, int chunk_tokens, int images, int length, int channels, int height, int width,
    int depth) {
    SHARED_MEMORY;
    Shared& in = *reinterpret_cast<Shared*>(memory);
    const Block block(images, length, channels, height, width, depth);
    const Place place;
    const int first = block.chunk * chunk_tokens;
    const int end = length - first < chunk_tokens ? length : first + chunk_tokens;
    real rate[2][4], drate[2][4] = {}, g[2][4] = {}, own_rate[OWN], own[OWN];
    read_rates(rate, block, place, A);
#pragma unroll
    for (int i = 0; i < OWN; ++i) {
        const int e = threadIdx.x + i * NT;
        own[i] = 0;
        own_rate[i] = e < ELEMENTS ? rate_of(block, e, A) : real(0);
        if (W > 1 && e < ELEMENTS)
            own[i] = begun(block, ends, chunk_tokens, channel_of(e), e % NP);
    }
    if (W == 1) {
#pragma unroll
        for (int i = 0; i < 8; ++i)
            g[i / 4][i % 4] = begun(block, ends, chunk_tokens, place.channel + i / 4, place.state + i % 4);
    }
    for (int i = threadIdx.x; i < (R + 2) * SLICES * CB; i += NT) (&in.parameters[0][0][0])[i] = 0;
    const int last = first + (end - 1 - first) / T * T;
    constexpr int LEFT = left<4, LS>();
    const int first_sum = share<4, 1, LS>(place.lane);
    real* sum_place[LEFT];
#pragma unroll
    for (int i = 0; i < LEFT; ++i)
        sum_place[i] = &(first_sum + i < 2 ? in.dt : in.slope)[place.time_warp * M][place.channel + (first_sum + i) % 2];
    prepare(in, block, weight, bias, skip, last, -T);
    x += block.features();
    dy += block.features();
    x_dbl += block.rows();
    dx += block.own_features() - block.group * CB;
    dx_dbl += block.group * (static_cast<long long>(images) * length * K * RN) + block.rows();
    Staging staging;
    staging.load(block, x, x_dbl, dy, in.token[0]);
    real next[2][4];
    if constexpr (W == 1) move_states<false>(next, states, block, place, last);

    for (int start = last, turn = 0; start >= first; start -= T, turn = (turn + 1) % 3) {
        const int* tokens = in.token[turn];
        const int count = length - start;  // of tokens that are there, T or more but for the last segment
        staging.put_rows(in, count);
        __syncthreads();
        staging.put_features(in, block, count);
        if (start > first) staging.load(block, x, x_dbl, dy, in.token[(turn + 1) % 3]);
        if (threadIdx.x < T) in.token[(turn + 2) % 3][threadIdx.x] = block.token(start - 2 * T + int(threadIdx.x));
        real begin[OWN], decay[W > 1 ? M : 1][2][4], h[M + 1][2][4];
        // With one time warp, computed twice: there are no registers to keep it in.
        const auto fading = [&](real step, int j, int s, int m) {
            return W > 1 ? decay[W > 1 ? m : 0][j][s] : power_of_two(step * rate[j][s]);
        };
        if constexpr (W > 1) {
#pragma unroll
            for (int i = 0; i < OWN; ++i) {
                const int e = threadIdx.x + i * NT;
                const bool there = e < ELEMENTS && block.has(channel_of(e)) && e % NP < N;
                begin[i] = there ? states[kept_state(block, start, channel_of(e), e % NP)] : real(0);
            }
        } else {
#pragma unroll
            for (int i = 0; i < 8; ++i) {
                const bool there = block.has(place.channel + i / 4) && place.state + i % 4 < N;
                h[0][i / 4][i % 4] = there ? next[i / 4][i % 4] : real(0);
            }
            if (start > first) move_states<false>(next, states, block, place, start - T);
        }
        __syncthreads();

        // From zero states: the scan's end, and the adjoint's end in the other sense.
        if constexpr (W > 1) {
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
                for (int s = 0; s < 4; ++s) {
                    h[m + 1][j][s] = fading(dt.v[j], j, s, m) * h[m][j][s] + u * B.v[s];
                }
            }
        }
        real local[2][4], total[2] = {};
        if constexpr (ANCHORED) {
            zero(local);
#pragma unroll
            for (int j = 0; j < 2; ++j) put(&in.carry_back[0][place.element(j)], g[j]);
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
                total[j] += dt.v[j];
#pragma unroll
                for (int s = 0; s < 4; ++s) {
                    const real all = grad.v[j] * C.v[s] + g[j][s];
                    over_channels[s] += all * u;
                    over_channels[4 + s] += grad.v[j] * h[m + 1][j][s];
                    of_input += all * B.v[s];
                    const real decayed = fading(dt.v[j], j, s, m);
                    g[j][s] = decayed * all;
                    if (ANCHORED) local[j][s] = decayed * (grad.v[j] * C.v[s] + local[j][s]);
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
            if (place.lane % LS < 4) {
#pragma unroll
                for (int i = 0; i < LEFT; ++i) sum_place[i][m * CB] *= over_states[i];
            }
        }
        if constexpr (ANCHORED) anchor(g, in.carry_back[0], local, total, rate, place);
        __syncthreads();

        staging.store(in, in.dy, block, dx, tokens, count);
#pragma unroll
        for (int i = 0; i < (T * R + NT - 1) / NT; ++i) {
            const int t = (threadIdx.x + i * NT) / R, r = (threadIdx.x + i * NT) % R;
            if (t >= T || t >= count) continue;
            real sum = 0;
#pragma unroll
            for (int d = 0; d < CB; d += 4) {
                const Four of_step = four(&in.slope[t][d]), w = four(&in.weight[r][d]);
#pragma unroll
                for (int q = 0; q < 4; ++q) sum += of_step.v[q] * w.v[q];
            }
            write(&dx_dbl[tokens[t] * (K * RN) + r], sum);
        }
#pragma unroll
        for (int i = 0; i < (T * 2 * N / VR + NT - 1) / NT; ++i) {
            const int at = (threadIdx.x + i * NT) * VR, t = at / (2 * N), n = at % (2 * N);
            if (t >= T || t >= count) continue;
            const int column = n < N ? n : n - N + NP;
            real sum[VR] = {};
#pragma unroll
            for (int w = 0; w < CW; ++w) {
                const auto part = *reinterpret_cast<const Group<real, VR>*>(&in.sums[w][t][column]);
#pragma unroll
                for (int j = 0; j < VR; ++j) sum[j] += part.v[j];
            }
            Group<io, VR> pack;
#pragma unroll
            for (int j = 0; j < VR; ++j) write(&pack.v[j], sum[j]);
            *reinterpret_cast<Group<io, VR>*>(&dx_dbl[tokens[t] * (K * RN) + R + n]) = pack;
        }
        for (int i = threadIdx.x; i < SLICES * CB; i += NT) {
            const int slice = i / CB, c = i % CB;
            real sums[R + 2] = {};
#pragma unroll 4
            for (int t = slice; t < T; t += SLICES) {
                const real of_step = in.slope[t][c];
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
    const long long parts = static_cast<long long>(block.chunk) * images + block.batch;  // before this block's
    for (int e = threadIdx.x; e < ELEMENTS; e += NT) {
        const int channel = channel_of(e), n = e % NP;
        if (!block.has(channel) || n >= N) continue;
        real sum = 0;
        for (int w = 0; w < W; ++w) sum += in.carry[w][e];
        dA[(parts * K * channels + block.parameter(channel)) * N + n] = sum;
    }
    for (int i = threadIdx.x; i < (R + 2) * CB; i += NT) {
        const int r = i / CB, c = i % CB;
        if (!block.has(c)) continue;
        real sum = 0;
        for (int s = 0; s < SLICES; ++s) sum += in.parameters[r][s][c];
        dparameters[(parts * K * channels + block.parameter(c)) * (R + 2) + r] = sum;
    }
}
#endif
