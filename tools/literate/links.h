// SPDX-License-Identifier: Apache-2.0
//
// Whether the links of a page lead anywhere, as far as that can be known
// without a network: relative ones, with their fragments.

#ifndef TOOLS_LITERATE_LINKS_H_
#define TOOLS_LITERATE_LINKS_H_

#include <string>
#include <vector>

#include "tools/literate/problem.h"

namespace literate {

// The *.md files below `root`, relative to it and sorted; not those in hidden
// folders, of Bazel's links, or in node_modules.
std::vector<std::string> MarkdownFiles(const std::string& root);

// Adds a problem for every link of `files` (paths below `root`) that leads
// nowhere. Links into solutions/ may dangle if there is no such folder: an
// instructor may hand out the workbook without it.
void CheckLinks(const std::string& root, const std::vector<std::string>& files,
                Problems& problems);

}  // namespace literate

#endif  // TOOLS_LITERATE_LINKS_H_
