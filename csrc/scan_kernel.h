// The kernels of one instruction set. A file that includes this defines TYPE, WIDTH (lanes) and NAME first.
//
// A lane is a channel. Vectors are the compilers' own (GCC and Clang), so the same text serves every processor. No
// function of the C++ library is called: a copy of it compiled for a newer processor could be linked into older code.

#include "scan.h"

#ifdef __AVX512DQ__
#include <immintrin.h>  // intrinsics alone: nothing of it is linked
#endif

namespace medmamba {
namespace {

#define UNROLL _Pragma("GCC unroll 4")
#ifdef __AVX512F__  // has registers for all states
#define UNROLL_STATES _Pragma("GCC unroll 16")
constexpr bool REGISTERS = true;
#else
#define UNROLL_STATES UNROLL
constexpr bool REGISTERS = false;
#endif

typedef TYPE T;
typedef T Vector __attribute__((vector_size(sizeof(T) * WIDTH)));

inline Vector spread(T value) { return value - Vector{}; }

// Loads and stores of a whole block of channels, or of the last one's few.
inline Vector load(const T* from, int64_t lanes) {
    Vector v{};
    if (lanes == WIDTH)
        __builtin_memcpy(&v, from, sizeof(v));
    else
        for (int64_t i = 0; i < lanes; ++i) v[i] = from[i];
    return v;
}

inline void store(T* to, Vector v, int64_t lanes) {
    if (lanes == WIDTH)
        __builtin_memcpy(to, &v, sizeof(v));
    else
        for (int64_t i = 0; i < lanes; ++i) to[i] = v[i];
}

inline Vector load_whole(const T* from) {
    Vector v;
    __builtin_memcpy(&v, from, sizeof(v));
    return v;
}

inline void store_whole(T* to, Vector v) { __builtin_memcpy(to, &v, sizeof(v)); }

struct Step {
    Vector dt, slope;  // softplus of the projected step, and its derivative
};

#include "scan_math.h"

inline Step project(const T* weight, const T* bias, const T* row, int64_t rank, int64_t channels, int64_t lanes) {
    Vector delta{};  // the bias comes last: it is the largest, and a fast decay multiplies every rounding of the step
    for (int64_t r = 0; r < rank; ++r) delta += spread(row[r]) * load(weight + r * channels, lanes);
    return softplus(delta + load(bias, lanes));
}

struct Block {
    int64_t first, lanes;  // channels
};

inline Block block_of(const Sizes& s, int64_t index) {
    const int64_t first = index * WIDTH, left = s.channels - first;
    return {first, left < WIDTH ? left : WIDTH};
}

// Forward: scratch holds A of the block for one direction, times log2(e), and the state; (2, N, WIDTH).
int64_t forward_scratch(const Sizes& s) { return 2 * s.states * WIDTH; }

template <int64_t STATES>  // 0 where the number of states is not known to the compiler
inline void forward_states(const Sizes& s, const Inputs<T>& in, T* y, int64_t image, Block b, T* scratch) {
    constexpr bool HELD = STATES && REGISTERS;
    const int64_t N = STATES ? STATES : s.states, row_size = s.rank + 2 * N;
    T *__restrict rate = scratch, *__restrict state = scratch + N * WIDTH;
    for (int64_t k = 0; k < s.directions; ++k) {
        for (int64_t n = 0; n < N; ++n) {
            store_whole(rate + n * WIDTH, T(LOG2_OF_E) * load(in.A + (k * N + n) * s.channels + b.first, b.lanes));
            store_whole(state + n * WIDTH, Vector{});
        }
        Vector held[HELD ? STATES : 1] = {};
        const Vector skip = load(in.D + k * s.channels + b.first, b.lanes);
        const T* weight = in.dt_weight + k * s.rank * s.channels + b.first;
        const T* bias = in.dt_bias + k * s.channels + b.first;
        for (int64_t l = 0; l < s.length; ++l) {
            const int64_t token = image * s.length + in.order[k * s.length + l];
            const T* row = in.x_dbl + (token * s.directions + k) * row_size;
            const T *enter = row + s.rank, *leave = enter + N;
            const Vector x = load(in.x + token * s.channels + b.first, b.lanes);
            const Vector dt = project(weight, bias, row, s.rank, s.channels, b.lanes).dt;
            const Vector input = dt * x;
            Vector sum = skip * x;
            UNROLL_STATES
            for (int64_t n = 0; n < N; ++n) {
                const Vector decay = power_of_two(dt * load_whole(rate + n * WIDTH));
                const Vector h = decay * (HELD ? held[n] : load_whole(state + n * WIDTH)) + input * spread(enter[n]);
                if (HELD)
                    held[n] = h;
                else
                    store_whole(state + n * WIDTH, h);
                sum += h * spread(leave[n]);
            }
            T* to = y + token * s.channels + b.first;
            store(to, k ? load(to, b.lanes) + sum : sum, b.lanes);
        }
    }
}

void forward(const Sizes& s, const Inputs<T>& in, T* y, int64_t image, int64_t block, T* scratch) {
    const Block b = block_of(s, block);
    if (s.states == 16)
        forward_states<16>(s, in, y, image, b, scratch);
    else if (s.states == 8)
        forward_states<8>(s, in, y, image, b, scratch);
    else
        forward_states<0>(s, in, y, image, b, scratch);
}

// Backward: the sequence is walked in segments from its end. States that enter a segment were kept by a sweep forward;
// inside a segment every state and decay is computed again and kept. dB and dC are kept lane by lane over all blocks
// of channels and summed over lanes once a segment.
constexpr int64_t KEPT = 1 << 14;  // elements of a segment's states

struct Layout {
    int64_t blocks, tokens, segments;              // a segment's tokens, and how many segments
    int64_t entering, arriving, states, decays;    // offsets: (segments, blocks, N), (blocks, N), (tokens + 1, N), (tokens, N)
    int64_t steps, sums, rates, of_rates, total;   // (tokens, 3), (tokens, 2N), (N), (N)
};

inline Layout layout(const Sizes& s) {
    Layout p;
    p.blocks = (s.channels + WIDTH - 1) / WIDTH;
    p.tokens = KEPT / (s.states * WIDTH);
    if (p.tokens < 16) p.tokens = 16;
    if (p.tokens > s.length) p.tokens = s.length;
    p.segments = (s.length + p.tokens - 1) / p.tokens;
    const int64_t state = s.states * WIDTH;
    p.entering = 0;
    p.arriving = p.entering + p.segments * p.blocks * state;
    p.states = p.arriving + p.blocks * state;
    p.decays = p.states + (p.tokens + 1) * state;
    p.steps = p.decays + p.tokens * state;
    p.sums = p.steps + p.tokens * 3 * WIDTH;
    p.rates = p.sums + p.tokens * 2 * state;
    p.of_rates = p.rates + state;
    p.total = p.of_rates + state;
    return p;
}

int64_t backward_scratch(const Sizes& s) { return layout(s).total; }

struct Task {
    const Sizes& s;
    const Inputs<T>& in;
    const Gradients<T>& grad;
    int64_t image, k;

    int64_t token(int64_t l) const { return image * s.length + in.order[k * s.length + l]; }
    const T* row(int64_t token) const { return in.x_dbl + (token * s.directions + k) * (s.rank + 2 * s.states); }
    const T* weight(Block b) const { return in.dt_weight + k * s.rank * s.channels + b.first; }
    const T* bias(Block b) const { return in.dt_bias + k * s.channels + b.first; }
    Vector x(int64_t token, Block b) const { return load(in.x + token * s.channels + b.first, b.lanes); }
    void rates(T* to, Block b) const {  // times log2(e)
        for (int64_t n = 0; n < s.states; ++n)
            store_whole(to + n * WIDTH, T(LOG2_OF_E) * load(in.A + (k * s.states + n) * s.channels + b.first, b.lanes));
    }
};

// Leaves the state that enters each segment, for one block of channels.
template <int64_t STATES>
inline void sweep(const Task& task, const Layout& p, Block b, int64_t block, T* scratch) {
    const int64_t N = STATES ? STATES : task.s.states, state = N * WIDTH;
    T *rate = scratch + p.rates, *h = scratch + p.states;
    task.rates(rate, b);
    for (int64_t n = 0; n < N; ++n) store_whole(h + n * WIDTH, Vector{});
    for (int64_t l = 0; l < task.s.length; ++l) {
        if (l % p.tokens == 0) {
            T* to = scratch + p.entering + (l / p.tokens * p.blocks + block) * state;
            for (int64_t n = 0; n < N; ++n) store_whole(to + n * WIDTH, load_whole(h + n * WIDTH));
            if (l + p.tokens >= task.s.length) break;  // nothing enters after the last segment
        }
        const int64_t token = task.token(l);
        const T *row = task.row(token), *enter = row + task.s.rank;
        const Vector dt = project(task.weight(b), task.bias(b), row, task.s.rank, task.s.channels, b.lanes).dt;
        const Vector input = dt * task.x(token, b);
        UNROLL
        for (int64_t n = 0; n < N; ++n) {
            const Vector decay = power_of_two(dt * load_whole(rate + n * WIDTH));
            store_whole(h + n * WIDTH, decay * load_whole(h + n * WIDTH) + input * spread(enter[n]));
        }
    }
}

// The gradients of one segment and one block of channels.
template <int64_t STATES>
inline void segment(const Task& task, const Layout& p, Block b, int64_t block, int64_t first, int64_t count, T* scratch) {
    const Sizes& s = task.s;
    const int64_t N = STATES ? STATES : s.states, state = N * WIDTH;
    T *rate = scratch + p.rates, *states = scratch + p.states, *decays = scratch + p.decays, *steps = scratch + p.steps;
    T *arriving = scratch + p.arriving + block * state, *sums = scratch + p.sums;
    const T* entering = scratch + p.entering + (first / p.tokens * p.blocks + block) * state;
    task.rates(rate, b);
    for (int64_t n = 0; n < N; ++n) store_whole(states + n * WIDTH, load_whole(entering + n * WIDTH));
    for (int64_t t = 0; t < count; ++t) {
        const int64_t token = task.token(first + t);
        const T *row = task.row(token), *enter = row + s.rank;
        const Step step = project(task.weight(b), task.bias(b), row, s.rank, s.channels, b.lanes);
        const Vector x = task.x(token, b), input = step.dt * x;
        store_whole(steps + t * 3 * WIDTH, step.dt);
        store_whole(steps + (t * 3 + 1) * WIDTH, step.slope);
        store_whole(steps + (t * 3 + 2) * WIDTH, x);
        UNROLL
        for (int64_t n = 0; n < N; ++n) {
            const Vector decay = power_of_two(step.dt * load_whole(rate + n * WIDTH));
            store_whole(decays + t * state + n * WIDTH, decay);
            const Vector h = decay * load_whole(states + t * state + n * WIDTH) + input * spread(enter[n]);
            store_whole(states + (t + 1) * state + n * WIDTH, h);
        }
    }
    T* of_rates = scratch + p.of_rates;
    for (int64_t n = 0; n < N; ++n) store_whole(of_rates + n * WIDTH, Vector{});
    for (int64_t t = count - 1; t >= 0; --t) {
        const int64_t token = task.token(first + t);
        const T *enter = task.row(token) + s.rank, *leave = enter + N;
        const Vector g = load(task.grad.y + token * s.channels + b.first, b.lanes);
        const Vector dt = load_whole(steps + t * 3 * WIDTH), slope = load_whole(steps + (t * 3 + 1) * WIDTH);
        const Vector x = load_whole(steps + (t * 3 + 2) * WIDTH), input = dt * x;
        Vector of_input{}, of_dt{};
        T* sum = sums + t * 2 * state;
        UNROLL
        for (int64_t n = 0; n < N; ++n) {
            const Vector h = load_whole(states + (t + 1) * state + n * WIDTH);
            const Vector before = load_whole(states + t * state + n * WIDTH);
            Vector of_h = load_whole(arriving + n * WIDTH) + g * spread(leave[n]);
            of_input += of_h * spread(enter[n]);
            store_whole(sum + n * WIDTH, load_whole(sum + n * WIDTH) + of_h * input);
            store_whole(sum + (N + n) * WIDTH, load_whole(sum + (N + n) * WIDTH) + g * h);
            of_h *= load_whole(decays + t * state + n * WIDTH);
            store_whole(arriving + n * WIDTH, of_h);
            const Vector of_exponent = of_h * before;
            of_dt += of_exponent * load_whole(rate + n * WIDTH);
            store_whole(of_rates + n * WIDTH, load_whole(of_rates + n * WIDTH) + of_exponent * dt);
        }
        const int64_t at = (task.k * s.batch * s.length + token) * s.channels + b.first;
        store(task.grad.x + at, of_input * dt, b.lanes);
        store(task.grad.delta + at, (T(LN_OF_2) * of_dt + of_input * x) * slope, b.lanes);
    }
    T* grad_A = task.grad.A + (task.image * s.directions + task.k) * N * s.channels + b.first;
    for (int64_t n = 0; n < N; ++n) {
        T* to = grad_A + n * s.channels;
        store(to, load(to, b.lanes) + load_whole(of_rates + n * WIDTH), b.lanes);
    }
}

template <int64_t STATES>
inline void backward_states(const Task& task, const Gradients<T>& grad, T* scratch) {
    const Sizes& s = task.s;
    const Layout p = layout(s);
    const int64_t N = s.states, state = N * WIDTH;
    for (int64_t block = 0; block < p.blocks; ++block) sweep<STATES>(task, p, block_of(s, block), block, scratch);
    for (int64_t i = 0; i < p.blocks * state; ++i) scratch[p.arriving + i] = 0;
    T* grad_A = grad.A + (task.image * s.directions + task.k) * N * s.channels;
    for (int64_t i = 0; i < N * s.channels; ++i) grad_A[i] = 0;
    for (int64_t index = p.segments - 1; index >= 0; --index) {
        const int64_t first = index * p.tokens, left = s.length - first, count = left < p.tokens ? left : p.tokens;
        T* sums = scratch + p.sums;
        for (int64_t i = 0; i < count * 2 * state; ++i) sums[i] = 0;
        for (int64_t block = 0; block < p.blocks; ++block)
            segment<STATES>(task, p, block_of(s, block), block, first, count, scratch);
        for (int64_t t = 0; t < count; ++t) {
            T* to = grad.BC + (task.token(first + t) * s.directions + task.k) * 2 * N;
            for (int64_t n = 0; n < 2 * N; ++n) {
                T total = 0;
                for (int64_t i = 0; i < WIDTH; ++i) total += sums[(t * 2 * N + n) * WIDTH + i];
                to[n] = total;
            }
        }
    }
}

void backward(const Sizes& s, const Inputs<T>& in, const Gradients<T>& grad, int64_t image, int64_t k, T* scratch) {
    const Task task{s, in, grad, image, k};
    if (s.states == 16)
        backward_states<16>(task, grad, scratch);
    else if (s.states == 8)
        backward_states<8>(task, grad, scratch);
    else
        backward_states<0>(task, grad, scratch);
}

}  // namespace

extern const Kernels<T> NAME;
const Kernels<T> NAME = {WIDTH, forward, backward, forward_scratch, backward_scratch};

}  // namespace medmamba
