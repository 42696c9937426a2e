// The exponential and the softplus, lane by lane. Included by scan_kernel.h inside its namespace.

#ifdef DOUBLE

inline Vector exponential(Vector x) {
    Vector v;
    for (int i = 0; i < WIDTH; ++i) v[i] = __builtin_exp(x[i]);
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

// e^x = 2^n 2^f with n whole and |f| <= 1/2; 2^f = 1 + f q(f), exact at 0, where slow decays are. q is a minimax fit:
// relative error 2e-9. Beyond the range of float the result stays at its ends (1e-38, 1e38).
inline Vector exponential(Vector x) {
    x = x > -87.f ? x : spread(-87.f);  // these are maximum and minimum: the kernels are compiled for finite numbers
    x = x < 88.f ? x : spread(88.f);
    const Vector shifted = x * LOG2E + 12582912.f;  // 1.5 * 2^23: the whole part lands in the low bits
    const Vector f = (x * LOG2E - (shifted - 12582912.f)) + x * LOG2E_REST;
    Vector q = f * 0.00015353361959569156f + 0.0013398873852565885f;
    q = q * f + 0.00961843691766262f;
    q = q * f + 0.055503323674201965f;
    q = q * f + 0.24022647738456726f;
    q = q * f + 0.6931471824645996f;
    const Vector p = f * q + 1.f;
    return (Vector)((Integers)p + ((Integers)shifted << 23));
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
