// Runs a CUDA block on one CPU thread: every GPU thread is a fiber, barriers and shuffles switch between them.
#include <ucontext.h>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>
using std::exp; using std::exp2; using std::log1p;
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__
#define __align__(n) __attribute__((aligned(n)))
struct Index { unsigned x; };
static Index threadIdx, blockIdx;
#define EMULATED
#define SHARED_MEMORY unsigned char* memory = shared_memory
static unsigned char* shared_memory;
static ucontext_t scheduler;
struct Fiber { ucontext_t context; std::vector<char> stack; bool done; };
static std::vector<Fiber> fibers;
static unsigned current;
struct Barrier { unsigned count = 0, turn = 0; };
static Barrier block_barrier;
static std::vector<Barrier> warp_barriers;
static std::vector<double> exchanged;
static void wait_for_others(Barrier& barrier, unsigned threads) {
    const unsigned turn = barrier.turn, me = current;
    if (++barrier.count == threads) { barrier.count = 0; ++barrier.turn; return; }
    while (barrier.turn == turn) { swapcontext(&fibers[me].context, &scheduler); }
}
static void __syncthreads() { wait_for_others(block_barrier, fibers.size()); }
template <class Value> static Value __shfl_xor_sync(unsigned, Value value, int mask) {
    const unsigned me = current;
    exchanged[me] = value;
    wait_for_others(warp_barriers[me / 32], 32);
    const Value got = exchanged[me ^ mask];
    wait_for_others(warp_barriers[me / 32], 32);
    return got;
}
static std::function<void()> kernel;
static void enter() { kernel(); fibers[current].done = true; swapcontext(&fibers[current].context, &scheduler); }
static void launch(unsigned blocks, unsigned threads, size_t shared, std::function<void()> body) {
    kernel = body;
    fibers.resize(threads);
    exchanged.assign(threads, 0);
    std::vector<double> space(shared / 8 + 2);
    shared_memory = reinterpret_cast<unsigned char*>((reinterpret_cast<uintptr_t>(space.data()) + 15) / 16 * 16);
    for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x) {
        std::memset(shared_memory, 0xff, shared);  // NaN
        block_barrier = {}; warp_barriers.assign(threads / 32, {});
        for (auto& f : fibers) {
            if (f.stack.empty()) f.stack.resize(1 << 16);
            getcontext(&f.context);
            f.context.uc_stack.ss_sp = f.stack.data(); f.context.uc_stack.ss_size = f.stack.size(); f.context.uc_link = nullptr;
            f.done = false;
            makecontext(&f.context, enter, 0);
        }
        for (bool running = true; running;) {
            running = false;
            for (current = 0; current < threads; ++current)
                if (!fibers[current].done) { running = true; threadIdx.x = current; swapcontext(&scheduler, &fibers[current].context); }
        }
    }
}
