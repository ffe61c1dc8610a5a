// A walk reaches what a path names, through symbolic links, never above the root, in a bounded
// number of steps.

#include "../src/path_walk.hpp"

#include "draco/testing/seed.hpp"

#include "../../../core/gateway/test/memory_source.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace draco::cdn {
namespace {

// A directory as a test writes it down: "name" -> file text, directory, or "-> target".
struct Tree {
    std::map<std::string, Tree> entries;
    std::optional<std::string> link;
    bool is_file = false;
};

Tree file() {
    return {.entries = {}, .link = {}, .is_file = true};
}

Tree link(std::string target) {
    return {.entries = {}, .link = std::move(target), .is_file = false};
}

Tree directory(std::map<std::string, Tree> entries) {
    return {.entries = std::move(entries), .link = {}, .is_file = false};
}

// Plays the part of the content source. The outcome as text.
class Walker {
public:
    explicit Walker(const Tree& root) : root_(root) {}

    std::string walk(const std::vector<std::string>& segments, bool slash) {
        PathWalk walk({.root = hash_of(root_), .segments = segments, .has_slash_at_end = slash});
        std::vector<const Tree*> directories;
        PathWalk::Step step = walk.begin();
        for (std::size_t steps = 0;; ++steps) {
            EXPECT_LE(steps, 2 * kLookupsMax + 2);
            if (const auto* open = std::get_if<PathWalk::Open>(&step)) {
                const Tree& opened = *by_hash_.at(open->hash);
                if (!opened.is_file) directories.push_back(&opened);
                step = walk.opened(opened.is_file ? types::ContentKind::File
                                                  : types::ContentKind::Directory);
            } else if (const auto* find = std::get_if<PathWalk::Find>(&step)) {
                if (find->depth >= directories.size()) return "beyond what is open";
                directories.resize(find->depth + 1);
                step = walk.found(find_in(*directories.back(), find->name));
            } else {
                return outcome(step);
            }
        }
    }

private:
    types::ContentHash hash_of(const Tree& tree) {
        const auto known = hashes_.find(&tree);
        if (known != hashes_.end()) return known->second;
        types::ContentHash hash;
        store_le<std::uint64_t>(hash.data(), hashes_.size() + 1);
        hashes_[&tree] = hash;
        by_hash_[hash] = &tree;
        return hash;
    }

    std::optional<types::DirectoryEntry> find_in(const Tree& tree, const std::string& name) {
        const auto entry = tree.entries.find(name);
        if (entry == tree.entries.end()) return std::nullopt;
        if (entry->second.link) return gateway::symlink_to(name, *entry->second.link);
        return gateway::link_to(name, hash_of(entry->second));
    }

    static std::string outcome(const PathWalk::Step& step) {
        if (const auto* file = std::get_if<PathWalk::ServeFile>(&step)) return "file " + file->name;
        if (const auto* list = std::get_if<PathWalk::ListDirectory>(&step))
            return "list " + std::to_string(list->depth);
        if (std::holds_alternative<PathWalk::RedirectToSlash>(step)) return "redirect";
        const auto& refusal = std::get<Refusal>(step);
        EXPECT_EQ(refusal.status, 404U);
        return refusal.text;
    }

    const Tree& root_;
    std::map<const Tree*, types::ContentHash> hashes_;
    std::map<types::ContentHash, const Tree*> by_hash_;
};

std::string walk(const Tree& root, const std::vector<std::string>& segments, bool slash = false) {
    return Walker(root).walk(segments, slash);
}

const Tree& site() {
    static const Tree kSite = directory({
        {"index.html", file()},
        {"a", directory({{"b", directory({{"page.html", file()}})}, {"up", link("../style.css")}})},
        {"style.css", file()},
        {"to-b", link("./a//b/")},
        {"to-page", link("to-b/page.html")},
        {"out", link("../x")},
        {"far-out", link("a/b/../../../x")},
        {"absolute", link("/etc/passwd")},
        {"here", link(".")},
        {"loop", link("loop2")},
        {"loop2", link("./loop")},
        {"dangling", link("a/none")},
        {"linked-index", directory({{"index.html", link("../a/b/page.html")}})},
        {"lost-index", directory({{"index.html", link("none")}})},
        {"odd-index", directory({{"index.html", directory({})}})},
        {"odder-index", directory({{"index.html", link("..")}})},
    });
    return kSite;
}

// Each link would reach style.css if what is above the root were the root itself, as it is for a
// process in a chroot, or if an absolute target began at the root.
const Tree& escapes() {
    static const Tree kEscapes = directory({
        {"style.css", file()},
        {"up", link("../style.css")},
        {"up-twice", link("../../style.css")},
        {"down-and-up", link("a/b/../../../style.css")},
        {"through-a-link", link("to-root/../style.css")},
        {"to-root", link("a/..")},
        {"absolute", link("/style.css")},
        {"absolute-twice", link("//style.css")},
        {"absolute-up", link("/../style.css")},
        {"a",
         directory({{"b",
                     directory({{"too-far", link("../../../style.css")},
                                {"back", link("../../a/b/../../style.css")}})}})},
    });
    return kEscapes;
}

TEST(PathWalk, ReachesFilesAndDirectories) {
    EXPECT_EQ(walk(file(), {}), "file ");
    EXPECT_EQ(walk(site(), {"style.css"}), "file style.css");
    EXPECT_EQ(walk(site(), {"a", "b", "page.html"}), "file page.html");
    EXPECT_EQ(walk(site(), {}), "redirect");
    EXPECT_EQ(walk(site(), {"a"}), "redirect");
    EXPECT_EQ(walk(site(), {}, true), "file index.html");
    EXPECT_EQ(walk(site(), {"a"}, true), "list 1");
    EXPECT_EQ(walk(directory({}), {}, true), "list 0");
}

TEST(PathWalk, SaysWhatIsMissing) {
    EXPECT_EQ(walk(site(), {"none"}), "there is no 'none' in the content's root directory");
    EXPECT_EQ(walk(site(), {"a", "none", "x"}), "there is no 'none' in '/a'");
    EXPECT_EQ(walk(site(), {"a", "b", "n\nx"}), "there is no 'n?x' in '/a/b'");
    EXPECT_EQ(walk(site(), {"style.css", "x"}),
              "'style.css' is a file, not a directory: there is no 'x' in it");
    EXPECT_EQ(walk(file(), {"x"}), "the content is a file, not a directory: there is no 'x' in it");
    EXPECT_EQ(walk(site(), {"style.css"}, true),
              "'style.css' is a file: ask for it without the '/' at the end");
    EXPECT_EQ(walk(site(), {"dangling"}),
              "there is no 'none' in '/a' (on the way was the symbolic link 'dangling')");
}

TEST(PathWalk, FollowsSymbolicLinksWithinTheRoot) {
    EXPECT_EQ(walk(site(), {"a", "up"}), "file style.css");
    EXPECT_EQ(walk(site(), {"to-b", "page.html"}), "file page.html");
    EXPECT_EQ(walk(site(), {"to-page"}), "file page.html");
    EXPECT_EQ(walk(site(), {"to-b"}), "redirect");
    EXPECT_EQ(walk(site(), {"to-b"}, true), "list 2");
    EXPECT_EQ(walk(site(), {"here", "here", "style.css"}), "file style.css");
    EXPECT_EQ(walk(site(), {"linked-index"}, true), "file page.html");
    for (const std::string name : {"out", "far-out", "absolute"})
        EXPECT_EQ(walk(site(), {name}),
                  "the symbolic link '" + name + "' leads out of the content that was asked for");
    EXPECT_TRUE(walk(site(), {"loop"}).starts_with("more than 16 symbolic links on the way"));
    EXPECT_TRUE(walk(site(), {"lost-index"}, true).starts_with("there is no 'none' in"));
    EXPECT_TRUE(walk(site(), {"odd-index"}, true).contains("is a directory"));
    EXPECT_TRUE(walk(site(), {"odder-index"}, true).contains("symbolic link to a directory"));
}

TEST(PathWalk, NothingLeadsAboveTheRootNotEvenToComeBack) {
    for (const std::string name :
         {"up", "up-twice", "down-and-up", "absolute", "absolute-twice", "absolute-up"})
        EXPECT_EQ(walk(escapes(), {name}),
                  "the symbolic link '" + name + "' leads out of the content that was asked for");
    EXPECT_EQ(walk(escapes(), {"a", "b", "too-far"}),
              "the symbolic link 'too-far' leads out of the content that was asked for");
    // The link that was followed last is the one that is named.
    EXPECT_EQ(walk(escapes(), {"through-a-link"}),
              "the symbolic link 'to-root' leads out of the content that was asked for");
    EXPECT_EQ(walk(escapes(), {"a", "b", "back"}), "file style.css");
    EXPECT_EQ(walk(escapes(), {"to-root", "to-root", "style.css"}), "file style.css");
}

TEST(PathWalk, EndsWhateverTheLinks) {
    std::string far;
    for (int i = 0; i < 200; ++i) far += "a/../";
    std::vector<std::string> segments(60, "here");
    const Tree root = directory({{"a", directory({})}, {"here", link(far)}});
    EXPECT_EQ(walk(root, segments), "the path leads through too many symbolic links");
}

// Model: names resolved one after the other, by recursion over the tree.
class Model {
public:
    explicit Model(const Tree& root) : root_(root) {}

    // "file", "directory", or "".
    std::string resolve(const std::vector<std::string>& segments) {
        std::vector<const Tree*> at = {&root_};
        links_ = 0;
        for (const std::string& name : segments)
            if (!enter(at, name)) return "";
        return at.back()->is_file ? "file" : "directory";
    }

private:
    bool enter(std::vector<const Tree*>& at, const std::string& name) {
        if (at.back()->is_file) return false;
        if (name == "..") {
            at.pop_back();
            return !at.empty();
        }
        const auto entry = at.back()->entries.find(name);
        if (entry == at.back()->entries.end()) return false;
        if (!entry->second.link) {
            at.push_back(&entry->second);
            return true;
        }
        if (++links_ > kSymlinksMax) return false;
        std::string part;
        for (const char c : *entry->second.link + "/") {
            if (c != '/') {
                part += c;
            } else if (!part.empty() && !enter(at, std::exchange(part, {}))) {
                return false;
            }
        }
        return true;
    }

    const Tree& root_;
    std::size_t links_ = 0;
};

Tree random_tree(std::mt19937_64& random, int depth) {
    Tree tree = directory({});
    for (const std::string name : {"a", "b", "c", "d"}) {
        switch (random() % (depth > 0 ? 5 : 3)) {
            case 0:
                break;
            case 1:
                tree.entries[name] = file();
                break;
            case 2: {
                std::string target;
                for (std::uint64_t i = 0; i < 1 + random() % 4; ++i)
                    target += std::string(i == 0 ? "" : "/") +
                              std::vector<std::string>{"a", "b", "c", "d", ".."}[random() % 5];
                tree.entries[name] = link(target);
                break;
            }
            default:
                tree.entries[name] = random_tree(random, depth - 1);
        }
    }
    return tree;
}

TEST(PathWalk, AgreesWithRecursion) {
    std::mt19937_64 random(testing::test_seed(12));
    std::size_t reached = 0;
    for (std::uint64_t round = 0; round < testing::scaled(5'000); ++round) {
        const Tree root = random_tree(random, 3);
        std::vector<std::string> segments;
        for (std::uint64_t i = 0; i < 1 + random() % 4; ++i)
            segments.emplace_back(1, static_cast<char>('a' + random() % 4));
        const std::string expected = Model(root).resolve(segments);
        const std::string got = walk(root, segments);
        if (expected == "file") {
            EXPECT_TRUE(got.starts_with("file ")) << got;
        } else if (expected == "directory") {
            EXPECT_EQ(got, "redirect");
        } else {
            EXPECT_FALSE(got.starts_with("file ") || got == "redirect") << got;
        }
        reached += expected.empty() ? 0 : 1;
    }
    EXPECT_GT(reached, 0U);
}

}  // namespace
}  // namespace draco::cdn
