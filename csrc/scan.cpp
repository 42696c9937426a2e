// The plain C interface: chooses the instruction set and shares the tasks among threads.

#include "scan.h"

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

using medmamba::Gradients;
using medmamba::Inputs;
using medmamba::Kernels;
using medmamba::Sizes;

enum Isa { GENERIC = 0, AVX2 = 1, AVX512 = 2 };

int best_isa() {
#ifdef MEDMAMBA_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return AVX2;
#endif
    return GENERIC;
}

template <class T>
const Kernels<T>& kernels(int isa);

template <>
const Kernels<float>& kernels<float>(int isa) {
#ifdef MEDMAMBA_X86
    if (isa == AVX512) return medmamba::avx512_float;
    if (isa == AVX2) return medmamba::avx2_float;
#endif
    (void)isa;
    return medmamba::generic_float;
}

template <>
const Kernels<double>& kernels<double>(int) {
    return medmamba::generic_double;
}

// Scratch memory on a cache line's border.
template <class T>
class Scratch {
public:
    explicit Scratch(int64_t elements)
        : memory_(static_cast<T*>(std::aligned_alloc(64, (elements * sizeof(T) + 63) / 64 * 64))) {}
    ~Scratch() { std::free(memory_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    T* get() const { return memory_; }

private:
    T* memory_;
};

// OpenMP's own way to run a function on every thread of a team. Torch's idle threads wait for work by spinning: other
// threads beside them would share their processors with them.
typedef void (*Team)(void (*function)(void*), void* data, unsigned threads, unsigned flags);
Team team = nullptr;
pid_t owner = 0;  // the process whose team it is: after a fork there are no threads behind it

// Runs tasks 0 ... count - 1 on some threads, the calling one among them. Which thread runs a task changes no result.
// Returns false where memory or threads ran out.
template <class T, class Run>
bool share(int64_t count, int threads, int64_t scratch_elements, Run run) {
    std::atomic<int64_t> next{0};
    std::atomic<bool> good{true};
    auto work = [&] {
        Scratch<T> scratch(scratch_elements);
        if (!scratch.get()) {
            good = false;
            return;
        }
        for (int64_t task; (task = next++) < count;) run(task, scratch.get());
    };
    if (count < threads) threads = static_cast<int>(count);
    if (threads > 1 && team && owner == getpid()) {
        team([](void* data) { (*static_cast<decltype(work)*>(data))(); }, &work, threads, 0);
        return good;
    }
    std::vector<std::thread> others;
    try {
        for (int i = 1; i < threads; ++i) others.emplace_back(work);
    } catch (...) {
        // Fewer threads than asked for still do all tasks.
    }
    work();
    for (auto& thread : others) thread.join();
    return good;
}

template <class T>
int run_forward(int isa, const Sizes& sizes, const Inputs<T>& in, T* y, int threads) {
    const Kernels<T>& kernel = kernels<T>(isa);
    const int64_t blocks = (sizes.channels + kernel.width - 1) / kernel.width;
    return !share<T>(sizes.batch * blocks, threads, kernel.forward_scratch(sizes), [&](int64_t task, T* scratch) {
        kernel.forward(sizes, in, y, task / blocks, task % blocks, scratch);
    });
}

template <class T>
int run_backward(int isa, const Sizes& sizes, const Inputs<T>& in, const Gradients<T>& grad, int threads) {
    const Kernels<T>& kernel = kernels<T>(isa);
    const int64_t k = sizes.directions;
    return !share<T>(sizes.batch * k, threads, kernel.backward_scratch(sizes), [&](int64_t task, T* scratch) {
        kernel.backward(sizes, in, grad, task / k, task % k, scratch);
    });
}

}  // namespace

extern "C" {

// The best instruction set of this processor: 0 generic, 1 AVX2, 2 AVX-512.
int medmamba_best_isa() { return best_isa(); }

// Lends the threads of an OpenMP library that this process has loaded: the address of its `GOMP_parallel`.
void medmamba_use_team(void* parallel) {
    team = reinterpret_cast<Team>(parallel);
    owner = getpid();
}

// Each returns 0, or 1 where memory ran out. `isa` must not exceed medmamba_best_isa(); doubles use generic code.
int medmamba_forward_float(int isa, const Sizes* s, const Inputs<float>* in, float* y, int threads) {
    return run_forward(isa, *s, *in, y, threads);
}
int medmamba_forward_double(int isa, const Sizes* s, const Inputs<double>* in, double* y, int threads) {
    return run_forward(isa, *s, *in, y, threads);
}
int medmamba_backward_float(int isa, const Sizes* s, const Inputs<float>* in, const Gradients<float>* g, int threads) {
    return run_backward(isa, *s, *in, *g, threads);
}
int medmamba_backward_double(int isa, const Sizes* s, const Inputs<double>* in, const Gradients<double>* g, int threads) {
    return run_backward(isa, *s, *in, *g, threads);
}
}
