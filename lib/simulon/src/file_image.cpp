#include "file_image.hpp"

#include "draco/simulon/disk.hpp"

#include <algorithm>
#include <utility>

namespace draco::simulon {

std::size_t FileImage::read(std::uint64_t offset, MutByteView out) const {
    if (offset >= size_) return 0;
    const auto total =
        static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
    for (std::size_t done = 0; done < total;) {
        const std::uint64_t at = offset + done;
        const auto in_page = static_cast<std::size_t>(at % kPageBytes);
        const std::size_t count = std::min(kPageBytes - in_page, total - done);
        if (const auto& page = pages_[at / kPageBytes])
            std::copy_n(page->data() + in_page, count, out.data() + done);
        else
            std::fill_n(out.data() + done, count, std::uint8_t{0});
        done += count;
    }
    return total;
}

void FileImage::write(std::uint64_t offset, ByteView data) {
    apply_write(offset, data);
    append(data_, data);
    note({.is_resize = false, .offset = offset, .length = data.size()});
}

void FileImage::resize(std::uint64_t size) {
    apply_resize(size);
    note({.is_resize = true, .offset = size, .length = 0});
}

void FileImage::note(const Change& change) {
    changes_.push_back(change);
    if (data_.size() + changes_.size() * sizeof(Change) > kWritebackBytes) commit();
}

void FileImage::commit() {
    saved_.clear();
    changes_.clear();
    if (data_.capacity() > kWritebackBytes / 64)
        data_ = Bytes();
    else
        data_.clear();
    durable_size_ = size_;
    durable_pages_ = pages_.size();
}

void FileImage::lose_uncommitted(Survival survival, SeededRng& rng) {
    const std::vector<Change> changes = std::exchange(changes_, {});
    const Bytes data = std::exchange(data_, {});
    if (survival != Survival::All && !changes.empty()) {
        pages_.resize(durable_pages_);
        for (auto& [index, page] : saved_) pages_[index] = std::move(page);
        set_size(durable_size_);
        saved_.clear();
    }
    if (survival == Survival::Some) {
        ByteView rest = data;
        for (const Change& change : changes) {
            const ByteView written = rest.first(change.length);
            rest = rest.subspan(change.length);
            switch (rng.below(3)) {
                case 0:
                    break;
                case 1:
                    if (change.is_resize)
                        apply_resize(change.offset);
                    else
                        apply_write(change.offset, written);
                    break;
                default:
                    apply_torn(change.offset, written, rng);
            }
        }
    }
    commit();
}

void FileImage::apply_torn(std::uint64_t offset, ByteView data, SeededRng& rng) {
    while (!data.empty()) {
        const std::size_t to_border =
            kSectorBytes - static_cast<std::size_t>(offset % kSectorBytes);
        const ByteView piece = data.first(std::min(to_border, data.size()));
        if (rng.chance(0.5)) apply_write(offset, piece);
        offset += piece.size();
        data = data.subspan(piece.size());
    }
}

void FileImage::apply_write(std::uint64_t offset, ByteView data) {
    if (data.empty()) return;
    if (offset + data.size() > size_) apply_resize(offset + data.size());
    for (std::size_t done = 0; done < data.size();) {
        const std::uint64_t at = offset + done;
        const auto in_page = static_cast<std::size_t>(at % kPageBytes);
        const std::size_t count = std::min(kPageBytes - in_page, data.size() - done);
        save(at / kPageBytes);
        auto& page = pages_[at / kPageBytes];
        if (!page) page = std::make_unique<Page>();
        std::copy_n(data.data() + done, count, page->data() + in_page);
        done += count;
    }
}

void FileImage::apply_resize(std::uint64_t size) {
    const std::uint64_t page_count = size / kPageBytes + (size % kPageBytes != 0 ? 1 : 0);
    if (size < size_) {
        for (std::uint64_t page = page_count; page < pages_.size(); ++page) save(page);
        if (const auto in_page = static_cast<std::size_t>(size % kPageBytes);
            in_page != 0 && pages_[page_count - 1]) {
            save(page_count - 1);
            std::fill(pages_[page_count - 1]->begin() + static_cast<std::ptrdiff_t>(in_page),
                      pages_[page_count - 1]->end(),
                      std::uint8_t{0});
        }
    }
    pages_.resize(page_count);
    set_size(size);
}

void FileImage::set_size(std::uint64_t size) {
    used_bytes_ += size - size_;
    size_ = size;
}

void FileImage::save(std::uint64_t page) {
    if (page >= durable_pages_) return;
    const auto [at, is_first] = saved_.try_emplace(page);
    if (is_first && pages_[page]) at->second = std::make_unique<Page>(*pages_[page]);
}

void FileImage::flip_bit(std::uint64_t bit_index) {
    const std::uint64_t index = bit_index / 8 / kPageBytes;
    const auto flip = [&](std::unique_ptr<Page>& page) {
        if (!page) page = std::make_unique<Page>();
        (*page)[bit_index / 8 % kPageBytes] ^= static_cast<std::uint8_t>(1U << (bit_index % 8));
    };
    flip(pages_[index]);
    if (const auto saved = saved_.find(index);
        saved != saved_.end() && bit_index / 8 < durable_size_)
        flip(saved->second);
}

}  // namespace draco::simulon
