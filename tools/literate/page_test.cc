// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/page.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace literate {
namespace {

using testing::ElementsAre;
using testing::Field;

TEST(ParsePage, FindsBlocksWithTheirLinesAndBytes) {
  const std::string source =
      "# T\n"
      "\n"
      "```cpp run=a\n"
      "int x;\n"
      "\n"
      "int y;\n"
      "```\n"
      "text\n"
      "~~~~text output=a exit=3 verdict=\"data race\" odd\n"
      "```\n"
      "~~~~\n";
  const Page page = ParsePage("p.md", source);
  ASSERT_EQ(page.code.size(), 2u);
  const CodeBlock& cpp = page.code[0];
  EXPECT_EQ(cpp.line, 3);
  EXPECT_EQ(cpp.language, "cpp");
  EXPECT_EQ(cpp.Attribute("run"), "a");
  EXPECT_EQ(cpp.text, "int x;\n\nint y;\n");
  EXPECT_EQ(source.substr(cpp.begin, cpp.end - cpp.begin), cpp.text);
  const CodeBlock& text = page.code[1];
  EXPECT_EQ(text.line, 9);
  EXPECT_EQ(text.Attribute("exit"), "3");
  EXPECT_EQ(text.Attribute("verdict"), "data race");
  EXPECT_EQ(text.Attribute("none"), "");
  EXPECT_EQ(text.flags.count("odd"), 1u);
  EXPECT_EQ(text.text, "```\n");
}

TEST(ParsePage, AnEmptyBlockIsBetweenItsFences) {
  const std::string source = "```text output=a\n```\n\n```\n```\n";
  const Page page = ParsePage("p.md", source);
  ASSERT_EQ(page.code.size(), 2u);
  EXPECT_EQ(page.code[0].text, "");
  EXPECT_EQ(page.code[0].begin, 17u);
  EXPECT_EQ(page.code[0].end, 17u);
  EXPECT_EQ(page.code[1].line, 4);
  EXPECT_EQ(page.code[1].begin, 26u);
}

TEST(ParsePage, AnInfoStringThatIsRewrittenStillHasItsLine) {
  const Page page = ParsePage("p.md", "a\n\n```text a\\*b\nx\n```\n");
  ASSERT_EQ(page.code.size(), 1u);
  EXPECT_EQ(page.code[0].line, 3);
}

TEST(ParsePage, ABlockInAListIsNotAtTopLevel) {
  const Page page = ParsePage("p.md", "- a\n\n  ```sh\n  ls\n  ```\n");
  ASSERT_EQ(page.code.size(), 1u);
  EXPECT_FALSE(page.code[0].top_level);
  EXPECT_EQ(page.code[0].line, 3);
}

TEST(ParsePage, FindsHeadingsAndNumbersRepeatedAnchors) {
  const Page page =
      ParsePage("p.md", "# 08 · Mutex — 互斥锁\n\n## A `b` c\n\n## a b c\n");
  EXPECT_THAT(page.headings,
              ElementsAre(Field(&Heading::anchor, "08--mutex--互斥锁"),
                          Field(&Heading::anchor, "a-b-c"),
                          Field(&Heading::anchor, "a-b-c-1")));
  EXPECT_EQ(page.headings[1].line, 3);
  EXPECT_EQ(page.headings[1].text, "A b c");
}

TEST(ParsePage, FindsLinksInMarkdownAndHtml) {
  const Page page = ParsePage("p.md",
                              "one\n[a](x/y.md#z) and ![b](c.png)\n\n<a "
                              "href=\"q.md\" id=\"here\">q</a>\n");
  ASSERT_EQ(page.links.size(), 3u);
  EXPECT_EQ(page.links[0].target, "x/y.md#z");
  EXPECT_EQ(page.links[0].line, 2);
  EXPECT_TRUE(page.links[1].image);
  EXPECT_EQ(page.links[2].target, "q.md");
  EXPECT_EQ(page.links[2].line, 4);
  EXPECT_EQ(page.anchors.count("here"), 1u);
}

TEST(ParsePage, FindsItemsTightAndLoose) {
  const Page page = ParsePage(
      "p.md", "1. *Safety:* one\n2. two\n   - inner\n\ntext\n\n1. a\n\n2. b\n");
  EXPECT_THAT(page.items, ElementsAre(Field(&ListItem::text, "Safety: one"),
                                      Field(&ListItem::text, "two"),
                                      Field(&ListItem::text, "inner"),
                                      Field(&ListItem::text, "a"),
                                      Field(&ListItem::text, "b")));
  EXPECT_TRUE(page.items[0].ordered);
  EXPECT_FALSE(page.items[2].ordered);
  EXPECT_EQ(page.items[2].depth, 2);
  EXPECT_EQ(page.items[4].line, 9);
}

TEST(ParsePage, FindsFoldedParts) {
  const Page page = ParsePage(
      "p.md",
      "<details>\n<summary>A <b>nudge</b></summary>\n\ntext\n\n</details>\n");
  ASSERT_EQ(page.folded.size(), 1u);
  EXPECT_EQ(page.folded[0].summary, "A nudge");
  EXPECT_EQ(page.folded[0].line, 1);
  EXPECT_EQ(page.folded[0].last_line, 6);
}

TEST(CountWords, CountsWhatAReaderReads) {
  EXPECT_EQ(CountWords("a - b → c\n互斥锁 d"), 5);
  const Page page = ParsePage("p.md", "one two\n\n```sh\nnot these\n```\n");
  ASSERT_EQ(page.prose.size(), 1u);
  EXPECT_EQ(CountWords(page.prose[0].text), 2);
}

TEST(Lines, HasNoEmptyLineBehindTheLast) {
  EXPECT_THAT(Lines("a\n\nb\n"), ElementsAre("a", "", "b"));
  EXPECT_THAT(Lines("a"), ElementsAre("a"));
  EXPECT_THAT(Lines(""), ElementsAre());
}

}  // namespace
}  // namespace literate
