#pragma once
// A file of unknown length, hashed and written block by block.

#include "draco/interfaces/content.hpp"

#include "staged_file.hpp"
#include "stored_object.hpp"

#include <memory>

namespace draco::blockstore {

class FileWriter final : public interfaces::FileWriter {
public:
    explicit FileWriter(std::unique_ptr<StagedFile> staged) : staged_(std::move(staged)) {}

    Result<> write(ByteView bytes) override;
    Result<types::ContentInfo> finish() override;

private:
    Result<> put(ByteView bytes);
    Result<> append_to_file(ByteView bytes);

    std::unique_ptr<StagedFile> staged_;
    std::shared_ptr<const StoredObject> stored_;  // held, once it is finished
    blake3_tree::TreeBuilder tree_;
    Bytes rest_;  // less than a block
    bool failed_ = false;
    bool finished_ = false;
};

}  // namespace draco::blockstore
