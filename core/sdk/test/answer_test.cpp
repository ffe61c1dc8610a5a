// What a service says to a person is one line, and what it shares lives as long as it is held.

#include "draco/sdk/service.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace draco::sdk {
namespace {

TEST(Answer, ATextIsALineThatNobodyStores) {
    const Answer answer = text_answer(404, "there is nothing");
    EXPECT_EQ(answer.status, 404U);
    EXPECT_EQ(as_text(std::get<Piece>(answer.body).bytes), "there is nothing\n");
    EXPECT_EQ(answer.fields,
              (std::vector<Field>{{.name = "Content-Type", .value = "text/plain; charset=utf-8"},
                                  {.name = "Cache-Control", .value = "no-store"}}));
}

TEST(Answer, ASharedTextLivesAsLongAsAPieceOfIt) {
    Piece kept;
    {
        const Piece whole = share(std::string(1'000, 'x'));
        kept = {.owner = whole.owner, .bytes = whole.bytes.subspan(10, 3)};
    }
    EXPECT_EQ(as_text(kept.bytes), "xxx");
    EXPECT_TRUE(share("").bytes.empty());
}

TEST(Answer, ControlCharactersAreNotPrinted) {
    EXPECT_EQ(printable(std::string("a\r\nb\0c\x7F\x1B[1m \t\xC3\xA4", 15)),
              "a??b?c??[1m ?\xC3\xA4");
}

}  // namespace
}  // namespace draco::sdk
