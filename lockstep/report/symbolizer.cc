// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/symbolizer.h"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

extern char** environ;

namespace lockstep {
namespace {

// A file mapped into this process: the program or a shared library.
struct Module {
  std::string path;
  uintptr_t bias = 0;
  std::vector<std::pair<uintptr_t, uintptr_t>> ranges;  // of loaded addresses

  bool Contains(uintptr_t address) const {
    return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
      return address >= range.first && address < range.second;
    });
  }
};

int AddModule(dl_phdr_info* info, size_t, void* data) {
  auto* modules = static_cast<std::vector<Module>*>(data);
  Module module;
  module.bias = info->dlpi_addr;
  module.path = info->dlpi_name;
  if (modules->empty()) module.path = "/proc/self/exe";
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    const uintptr_t start = info->dlpi_addr + header.p_vaddr;
    module.ranges.emplace_back(start, start + header.p_memsz);
  }
  modules->push_back(std::move(module));
  return 0;
}

// The real path of a program, since "/proc/self/exe" is another file in a
// child process.
std::string RealPath(const std::string& path) {
  char buffer[PATH_MAX];
  return realpath(path.c_str(), buffer) == nullptr ? path : buffer;
}

// Runs a program and returns what it writes to standard output; "" if it
// cannot be run.
std::string Output(const std::vector<std::string>& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                   O_WRONLY, 0);
  std::vector<char*> argv;
  for (const std::string& argument : command) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  pid_t child = -1;
  const int error =
      posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string output;
  if (error == 0) {
    char buffer[65536];
    ssize_t n;
    while ((n = read(ends[0], buffer, sizeof(buffer))) > 0 ||
           (n < 0 && errno == EINTR)) {
      if (n > 0) output.append(buffer, static_cast<size_t>(n));
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  close(ends[0]);
  return output;
}

// Makes file names the same whichever machine or sandbox compiled them.
std::string WorkspacePath(std::string path) {
  const size_t execroot = path.find("/execroot/");
  if (execroot != std::string::npos) {
    const size_t slash = path.find('/', execroot + 10);
    if (slash != std::string::npos) path = path.substr(slash + 1);
  }
  for (const char* prefix : {"/proc/self/cwd/", "./"}) {
    if (absl::StartsWith(path, prefix)) path = path.substr(strlen(prefix));
  }
  // bazel-out/CONFIGURATION/bin/: generated files have the same name in every
  // configuration.
  if (absl::StartsWith(path, "bazel-out/")) {
    const size_t bin = path.find("/bin/");
    if (bin != std::string::npos) path = path.substr(bin + 5);
  }
  return path;
}

// The variables of a file, by address before relocation.
struct Variable {
  uintptr_t address;
  uint64_t size;
  std::string name;
};

std::vector<Variable> ReadVariables(const std::string& path) {
  std::vector<Variable> variables;
  std::ifstream file(path, std::ios::binary);
  ElfW(Ehdr) header;
  const auto read_at = [&](uint64_t offset, void* to, size_t size) {
    file.seekg(static_cast<std::streamoff>(offset));
    return static_cast<bool>(
        file.read(static_cast<char*>(to), static_cast<std::streamsize>(size)));
  };
  if (!read_at(0, &header, sizeof(header)) ||
      memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_shentsize != sizeof(ElfW(Shdr))) {
    return variables;
  }
  std::vector<ElfW(Shdr)> sections(header.e_shnum);
  if (sections.empty() || !read_at(header.e_shoff, sections.data(),
                                   sections.size() * sizeof(sections[0]))) {
    return variables;
  }
  for (const ElfW(Shdr) & section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) {
      continue;
    }
    const ElfW(Shdr)& names_section = sections[section.sh_link];
    std::vector<ElfW(Sym)> symbols(section.sh_size / sizeof(ElfW(Sym)));
    std::string names(names_section.sh_size, '\0');
    if (symbols.empty() || names.empty() ||
        !read_at(section.sh_offset, symbols.data(),
                 symbols.size() * sizeof(symbols[0])) ||
        !read_at(names_section.sh_offset, names.data(), names.size())) {
      continue;
    }
    for (const ElfW(Sym) & symbol : symbols) {
      if ((symbol.st_info & 0xf) != STT_OBJECT || symbol.st_size == 0 ||
          symbol.st_name >= names.size()) {
        continue;
      }
      variables.push_back(
          {symbol.st_value, symbol.st_size, names.c_str() + symbol.st_name});
    }
  }
  std::sort(variables.begin(), variables.end(),
            [](const Variable& a, const Variable& b) {
              return a.address < b.address;
            });
  return variables;
}

std::string Demangle(const std::string& name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  if (status != 0 || text == nullptr) return name;
  std::string result = text;
  free(text);
  return result;
}

class ProcessSymbolizer : public Symbolizer {
 public:
  ProcessSymbolizer() {
    dl_iterate_phdr(AddModule, &modules_);
    for (Module& module : modules_) module.path = RealPath(module.path);
  }

  void Prepare(const std::vector<CodeAddress>& addresses) override {
    std::vector<std::set<CodeAddress>> wanted(modules_.size());
    for (const CodeAddress address : addresses) {
      if (address == 0 || frames_.count(address) != 0) continue;
      frames_[address];
      for (size_t i = 0; i < modules_.size(); ++i) {
        if (modules_[i].Contains(address)) wanted[i].insert(address);
      }
    }
    for (size_t i = 0; i < modules_.size(); ++i) {
      if (!wanted[i].empty()) LookUp(modules_[i], wanted[i]);
    }
  }

  const std::vector<Frame>& Frames(CodeAddress address) override {
    Prepare({address});
    return frames_[address];
  }

  bool InProgram(CodeAddress address) override {
    return modules_.empty() || modules_[0].Contains(address);
  }

  std::string GlobalName(uintptr_t address) override {
    for (size_t i = 0; i < modules_.size(); ++i) {
      if (!modules_[i].Contains(address)) continue;
      if (variables_.count(i) == 0) {
        variables_[i] = ReadVariables(modules_[i].path);
      }
      const std::vector<Variable>& variables = variables_[i];
      const uintptr_t offset = address - modules_[i].bias;
      auto after = std::upper_bound(
          variables.begin(), variables.end(), offset,
          [](uintptr_t a, const Variable& v) { return a < v.address; });
      if (after == variables.begin()) return "";
      const Variable& variable = *std::prev(after);
      if (offset >= variable.address + variable.size) return "";
      std::string name = Demangle(variable.name);
      // Where a variable lives says little to a reader.
      for (const char* noise : {"(anonymous namespace)::"}) {
        for (size_t at; (at = name.find(noise)) != std::string::npos;) {
          name.erase(at, strlen(noise));
        }
      }
      if (offset > variable.address) {
        absl::StrAppend(&name, "+", offset - variable.address);
      }
      return name;
    }
    return "";
  }

  std::string SourceLine(const std::string& file, int line) override {
    const std::vector<std::string>& lines = Lines(file);
    if (line < 1 || static_cast<size_t>(line) > lines.size()) return "";
    return std::string(
        absl::StripAsciiWhitespace(lines[static_cast<size_t>(line) - 1]));
  }

 private:
  void LookUp(const Module& module, const std::set<CodeAddress>& addresses) {
    // A limit far below what the kernel allows for arguments.
    constexpr size_t kAtOnce = 4000;
    auto next = addresses.begin();
    while (next != addresses.end()) {
      std::vector<std::string> command = {"addr2line", "-C", "-f",       "-i",
                                          "-a",        "-e", module.path};
      std::vector<CodeAddress> asked;
      for (; next != addresses.end() && asked.size() < kAtOnce; ++next) {
        // A return address may belong to the next line: look one byte back.
        command.push_back(absl::StrFormat("0x%x", *next - module.bias - 1));
        asked.push_back(*next);
      }
      Parse(Output(command), asked);
    }
  }

  // Per address one line with it, then a line with the function and a line
  // with the position for each frame.
  void Parse(const std::string& output,
             const std::vector<CodeAddress>& addresses) {
    size_t index = 0;
    std::vector<Frame>* frames = nullptr;
    std::string function;
    bool have_function = false;
    for (absl::string_view line : absl::StrSplit(output, '\n')) {
      if (!have_function && absl::StartsWith(line, "0x")) {
        if (index == addresses.size()) return;
        frames = &frames_[addresses[index++]];
      } else if (frames == nullptr || (line.empty() && !have_function)) {
        continue;
      } else if (!have_function) {
        function = line == "??" ? "" : std::string(line);
        have_function = true;
      } else {
        have_function = false;
        Frame frame;
        frame.function = function;
        const size_t discriminator = line.find(" (");
        if (discriminator != absl::string_view::npos) {
          line = line.substr(0, discriminator);
        }
        const size_t colon = line.rfind(':');
        if (colon != absl::string_view::npos &&
            absl::SimpleAtoi(line.substr(colon + 1), &frame.line) &&
            frame.line > 0) {
          frame.file = WorkspacePath(std::string(line.substr(0, colon)));
        }
        if (BeyondItsFile(frame)) continue;
        if (frame.known() || !frame.function.empty()) {
          frames->push_back(std::move(frame));
        }
      }
    }
  }

  // For code that was inlined, addr2line may combine a line of the header with
  // the name of the file that includes it.
  bool BeyondItsFile(const Frame& frame) {
    if (IsLibraryFrame(frame)) return false;
    const std::vector<std::string>& lines = Lines(frame.file);
    return !lines.empty() && static_cast<size_t>(frame.line) > lines.size();
  }

  const std::vector<std::string>& Lines(const std::string& file) {
    auto found = lines_.find(file);
    if (found != lines_.end()) return found->second;
    std::vector<std::string>& lines = lines_[file];
    if (file.empty()) return lines;
    // Beside the program in its build tree, or below the current directory.
    std::vector<std::string> places = {file};
    if (!modules_.empty()) {
      const size_t out = modules_[0].path.find("/bazel-out/");
      if (out != std::string::npos) {
        places.push_back(modules_[0].path.substr(0, out + 1) + file);
        // Generated files.
        const size_t bin = modules_[0].path.find("/bin/", out);
        if (bin != std::string::npos) {
          places.push_back(modules_[0].path.substr(0, bin + 5) + file);
        }
      }
    }
    for (const std::string& place : places) {
      std::ifstream in(place);
      if (!in) continue;
      for (std::string line; std::getline(in, line);) lines.push_back(line);
      break;
    }
    return lines;
  }

  std::vector<Module> modules_;
  std::map<CodeAddress, std::vector<Frame>> frames_;
  std::map<size_t, std::vector<Variable>> variables_;
  std::map<std::string, std::vector<std::string>> lines_;
};

}  // namespace

bool IsLibraryFrame(const Frame& frame) {
  const std::string& file = frame.file;
  if (!frame.known()) return true;
  for (const char* part :
       {"/include/c++/", "com_google_absl", "abseil-cpp",
        "com_google_googletest", "/googletest", "/nptl/", "/sysdeps/",
        "/libsanitizer/", "/libgcc/", "/libstdc++"}) {
    if (absl::StrContains(file, part)) return true;
  }
  for (const char* prefix :
       {"/usr/", "./nptl", "nptl/", "../sysdeps", "../nptl"}) {
    if (absl::StartsWith(file, prefix)) return true;
  }
  if (absl::StrContains(file, "_test.") || absl::StrContains(file, "/tests/")) {
    return false;
  }
  for (const char* own :
       {"lockstep/runtime/", "lockstep/strategy/", "lockstep/report/",
        "lockstep/explore.", "lockstep/gtest.", "lockstep/gtest_main.",
        "lockstep/lockstep.",
        // Not lockstep's, but around the program in the same way: who calls
        // them says more.
        "tests/support/", "tools/literate/explore_main."}) {
    if (absl::StrContains(file, own)) return true;
  }
  return false;
}

Frame StudentFrame(Symbolizer& symbolizer,
                   const std::vector<CodeAddress>& stack, bool* in_gtest) {
  for (const CodeAddress address : stack) {
    for (const Frame& frame : symbolizer.Frames(address)) {
      if (!IsLibraryFrame(frame)) return frame;
      if (in_gtest != nullptr &&
          (absl::StrContains(frame.file, "googletest") ||
           absl::StrContains(frame.function, "testing::"))) {
        *in_gtest = true;
      }
    }
  }
  return Frame();
}

std::unique_ptr<Symbolizer> MakeProcessSymbolizer() {
  return std::make_unique<ProcessSymbolizer>();
}

}  // namespace lockstep
