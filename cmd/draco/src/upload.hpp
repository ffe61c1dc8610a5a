#pragma once
// Puts what lies on this machine on a node.

#include "draco/base/result.hpp"

#include "content_owner.hpp"
#include "local_tree.hpp"

#include <string>

namespace draco {

// The address of the whole, in hex. With a progress bar called `label`. Files that became shorter
// since the tree was read are an error; what grew is taken as it is.
Result<std::string> upload(const ContentOwner& owner,
                           const LocalTree& tree,
                           const std::string& label,
                           bool pin);

}  // namespace draco
