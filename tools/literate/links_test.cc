// SPDX-License-Identifier: Apache-2.0
//
// Every way in which a link can lead nowhere; and the links of the workbook
// itself, which must lead somewhere.

#include "tools/literate/links.h"

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/literate/files.h"

namespace literate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LinksTest : public testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) {
    ASSERT_TRUE(WriteFile(folder_.path() + "/" + file, text).ok());
  }

  std::string ProblemsOf(const std::string& link) {
    Write("a/p.md", "# P\n\n## A part\n\n[x](" + link + ")\n");
    Problems problems;
    CheckLinks(folder_.path(), {"a/p.md"}, problems);
    return ToString(problems);
  }

  const TempFolder folder_;
};

TEST_F(LinksTest, AcceptsWhatLeadsSomewhere) {
  Write("q.md", "# 互斥锁\n\n<a id=\"here\"></a>\n");
  Write("dir/README.md", "# Dir\n");
  Write("code.h", "1\n2\n");
  Write("with space.txt", "");
  for (const char* link :
       {"https://example.com/x#y", "mailto:a@example.com", "#a-part", "../q.md",
        "../q.md#互斥锁", "../q.md#%E4%BA%92%E6%96%A5%E9%94%81", "../q.md#here",
        "../dir", "../dir#dir", "../code.h#L2", "../code.h#L1-L2",
        "../with%20space.txt", "p.md#a-part"}) {
    EXPECT_EQ(ProblemsOf(link), "") << link;
  }
}

TEST_F(LinksTest, RejectsWhatDoesNotExist) {
  EXPECT_EQ(
      ProblemsOf("../none.md"),
      "a/p.md:5: The link \"../none.md\" leads to none.md, which does not "
      "exist. Fix: correct the path.\n");
  Write("q.md", "# Q\n\n## Two words\n");
  EXPECT_EQ(ProblemsOf("../q.md#two_words"),
            "a/p.md:5: The link \"../q.md#two_words\" leads to no heading of "
            "q.md. Fix: its headings are: #two-words.\n");
  EXPECT_THAT(ProblemsOf("#none"), HasSubstr("leads to no heading of a/p.md"));
  Write("code.h", "1\n2\n");
  EXPECT_THAT(ProblemsOf("../code.h#L3"), HasSubstr("code.h has no line 3."));
  EXPECT_THAT(ProblemsOf("../code.h#x"), HasSubstr("\"#x\" means nothing in"));
}

TEST_F(LinksTest, RejectsWhatGitHubDoesNotFollow) {
  EXPECT_THAT(ProblemsOf("/a/p.md"), HasSubstr("begins at a root"));
  EXPECT_THAT(ProblemsOf("../../x.md"), HasSubstr("leaves the workbook"));
}

TEST_F(LinksTest, SolutionsMayBeWithheldAsAWhole) {
  EXPECT_EQ(ProblemsOf("../solutions/08_mutex/std/lock.h"), "");
  Write("solutions/BUILD.bazel", "");
  EXPECT_THAT(ProblemsOf("../solutions/08_mutex/std/lock.h"),
              HasSubstr("does not exist"));
}

TEST_F(LinksTest, ChecksLinksAndImagesInHtml) {
  Write("a/p.md", "one\n\n<img src=\"no.png\">\n");
  Problems problems;
  CheckLinks(folder_.path(), {"a/p.md"}, problems);
  EXPECT_THAT(ToString(problems), HasSubstr("a/p.md:3: The link \"no.png\""));
}

TEST_F(LinksTest, FindsTheMarkdownOfATree) {
  Write("b.md", "");
  Write("a/c.md", "");
  Write("a/d.txt", "");
  Write(".git/e.md", "");
  Write("book/node_modules/f.md", "");
  std::filesystem::create_directory_symlink(folder_.path() + "/a",
                                            folder_.path() + "/bazel-a");
  EXPECT_THAT(MarkdownFiles(folder_.path()), ElementsAre("a/c.md", "b.md"));
}

TEST(WorkbookTest, EveryLinkOfTheWorkbookLeadsSomewhere) {
  const std::string root = WorkbookRoot();
  const std::vector<std::string> files = MarkdownFiles(root);
  EXPECT_THAT(files, testing::Contains("tools/literate/README.md"));
  Problems problems;
  CheckLinks(root, files, problems);
  EXPECT_EQ(ToString(problems), "");
}

}  // namespace
}  // namespace literate
