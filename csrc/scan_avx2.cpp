#define TYPE float
#define WIDTH 8
#define NAME avx2_float
#include "scan_kernel.h"
