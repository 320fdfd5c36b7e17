// SPDX-License-Identifier: Apache-2.0
//
// Data that tests send through pipes, and files that they read back.

#ifndef TESTS_SUPPORT_DATA_H_
#define TESTS_SUPPORT_DATA_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace support {

constexpr size_t kMebibyte = size_t{1} << 20;  // no pipe holds as much

// `size` bytes that repeat only after a long while, so that a lost or repeated
// piece shows. Another seed, other bytes.
std::string Pattern(size_t size, uint32_t seed = 1);

// All of the file; empty if it cannot be read.
std::string ReadFile(const std::string& path);

}  // namespace support

#endif  // TESTS_SUPPORT_DATA_H_
