#define TYPE double
#define DOUBLE
#define WIDTH 4
#define NAME generic_double
#include "scan_kernel.h"
