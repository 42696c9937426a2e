// The exponential and the softplus, lane by lane. Included by scan_kernel.h inside its namespace.

constexpr double LOG2_OF_E = 1.4426950408889634, LN_OF_2 = 0.6931471805599453;

#ifdef DOUBLE

inline Vector power_of_two(Vector x) {
    Vector v;
    for (int i = 0; i < WIDTH; ++i) v[i] = __builtin_exp2(x[i]);
    return v;
}

inline Step softplus(Vector delta) {
    Step step;
    for (int i = 0; i < WIDTH; ++i) {
        step.dt[i] = delta[i] > 20 ? delta[i] : __builtin_log1p(__builtin_exp(delta[i]));
        step.slope[i] = 1 / (1 + __builtin_exp(-delta[i]));
    }
    return step;
}

#else

typedef int32_t Integers __attribute__((vector_size(sizeof(int32_t) * WIDTH)));

constexpr T LOG2E = 1.44269502f, LOG2E_REST = 1.925963033e-8f;  // their sum is log2(e) to 48 bits

// 2^f for |f| <= 1/2 as 1 + f q(f), exact at 0, where slow decays are. q is a minimax fit: relative error 2e-9.
inline Vector near_one(Vector f) {
    Vector q = f * 0.00015353361959569156f + 0.0013398873852565885f;
    q = q * f + 0.00961843691766262f;
    q = q * f + 0.055503323674201965f;
    q = q * f + 0.24022647738456726f;
    q = q * f + 0.6931471824645996f;
    return f * q + 1.f;
}

constexpr T WHOLE = 12582912.f;  // 1.5 * 2^23: added to a number, it leaves the whole part in the low bits

// 2^x, for decays whose rates are kept times log2(e).
inline Vector power_of_two(Vector x) {
#ifdef __AVX512DQ__
    constexpr __mmask16 EVERY = 0xffff;  // without masks GCC 12 warns of its own header
    const __m512 all = (__m512)x, f = _mm512_maskz_reduce_ps(EVERY, all, _MM_FROUND_TO_NEAREST_INT);
    return (Vector)_mm512_maskz_scalef_ps(EVERY, (__m512)near_one((Vector)f), all - f);
#else
    // Beyond the range of float the result stays at its ends (1e-38, 1e38).
    x = x > -126.f ? x : spread(-126.f);  // these are maximum and minimum: the kernels are compiled for finite numbers
    x = x < 127.f ? x : spread(127.f);
    const Vector shifted = x + WHOLE;
    return (Vector)((Integers)near_one(x - (shifted - WHOLE)) + ((Integers)shifted << 23));
#endif
}

// e^x for x <= 0, with what the rounding of x log2(e) leaves.
inline Vector exponential(Vector x) {
    x = x > -87.f ? x : spread(-87.f);
    const Vector shifted = x * LOG2E + WHOLE;
    const Vector f = (x * LOG2E - (shifted - WHOLE)) + x * LOG2E_REST;
    return (Vector)((Integers)near_one(f) + ((Integers)shifted << 23));
}

// log(1 + e^d) = max(d, 0) + log1p(z) with z = e^-|d| in (0, 1], and log1p(z) = 2 atanh(z / (2 + z)), whose series in
// the square s2 <= 1/9 is a minimax fit: relative error 1e-10.
inline Step softplus(Vector delta) {
    const Vector zero{};
    const Vector size = delta > zero ? delta : -delta;
    const Vector z = exponential(-size);
    const Vector s = z / (2.f + z), s2 = s * s;
    Vector g = s2 * 0.12150466442108154f + 0.10713829100131989f;
    g = g * s2 + 0.14308442175388336f;
    g = g * s2 + 0.19999438524246216f;
    g = g * s2 + 0.3333333730697632f;
    const Vector log1p = 2.f * (s + s * s2 * g);
    const Vector part = 1.f / (1.f + z);
    return {(delta > zero ? delta : zero) + log1p, delta > zero ? part : z * part};
}

#endif
