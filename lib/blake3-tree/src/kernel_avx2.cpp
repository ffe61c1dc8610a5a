#include "vector_kernel.hpp"

namespace draco::blake3_tree {

constinit const Kernel kAvx2Kernel = kVectorKernel<8>;

}  // namespace draco::blake3_tree
