#include "vector_kernel.hpp"

namespace draco::blake3_tree {

constinit const Kernel kAvx512Kernel = kVectorKernel<16>;

}  // namespace draco::blake3_tree
