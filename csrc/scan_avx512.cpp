#define TYPE float
#define WIDTH 16
#define NAME avx512_float
#include "scan_kernel.h"
