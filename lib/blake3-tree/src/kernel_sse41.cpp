#include "vector_kernel.hpp"

namespace draco::blake3_tree {

constinit const Kernel kSse41Kernel = kVectorKernel<4>;

}  // namespace draco::blake3_tree
