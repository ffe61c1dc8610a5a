#pragma once

namespace draco::io {

void print_network_ratios();

}  // namespace draco::io
