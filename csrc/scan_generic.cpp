#define TYPE float
#define WIDTH 4
#define NAME generic_float
#include "scan_kernel.h"
