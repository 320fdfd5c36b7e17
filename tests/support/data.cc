// SPDX-License-Identifier: Apache-2.0

#include "tests/support/data.h"

#include <fstream>
#include <sstream>

namespace support {

std::string Pattern(size_t size, uint32_t seed) {
  std::string bytes(size, '\0');
  uint32_t x = seed;
  for (char& byte : bytes) {
    x = x * 1664525 + 1013904223;
    byte = static_cast<char>(x >> 24);
  }
  return bytes;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  // Throws nothing, as an iterator would, if a process in /proc goes away
  // between opening and reading.
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace support
