# SPDX-License-Identifier: Apache-2.0
"""WORKSPACE and MODULE.bazel pin the same archives, and offline Debian has them.

Whichever Bazel a reader has, the same sources are compiled.
"""

import os
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir)
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tools", "offline"))

import archives  # pylint: disable=wrong-import-position
import pins  # pylint: disable=wrong-import-position

# Not archives in MODULE.bazel: Bazel 7 takes its rules from its own registry,
# where every Bazel release needs at least its own version, and bazel_skylib is
# a dependency of dependencies there.
WORKSPACE_ONLY = {"rules_cc", "bazel_skylib"}


class PinsTest(unittest.TestCase):

    def setUp(self):
        self.workspace = pins.workspace_pins(os.path.join(ROOT, "WORKSPACE"))
        self.module = pins.module_pins(os.path.join(ROOT, "MODULE.bazel"))

    def test_both_files_pin_the_same_repositories(self):
        self.assertGreaterEqual(len(self.workspace), 6)
        self.assertEqual(set(self.workspace) - WORKSPACE_ONLY, set(self.module))

    def test_address_folder_and_hash_are_equal(self):
        for name, pin in self.module.items():
            with self.subTest(name):
                self.assertEqual(pin, self.workspace.get(name))

    def test_hashes_are_well_formed(self):
        for pin in self.workspace.values():
            with self.subTest(pin.name):
                self.assertTrue(re.fullmatch("[0-9a-f]{64}", pin.sha256))
                self.assertTrue(all(u.startswith("https://") for u in pin.urls))

    def test_the_version_of_a_module_is_in_its_address(self):
        module = os.path.join(ROOT, "MODULE.bazel")
        for function, arguments in pins.calls(module):
            if function != "bazel_dep":
                continue
            name = arguments.get("repo_name", arguments["name"])
            if name in self.module:
                with self.subTest(name):
                    self.assertIn(arguments["version"], self.module[name].urls[0])

    def test_every_pin_has_a_debian_source_of_its_version(self):
        self.assertEqual(set(archives.SOURCES), set(self.workspace))
        for name, source in archives.SOURCES.items():
            with self.subTest(name):
                self.assertIn(source.version, self.workspace[name].urls[0])

    def test_a_difference_would_be_seen(self):
        with open(os.path.join(ROOT, "MODULE.bazel"), encoding="utf-8") as file:
            text = file.read()
        changed = text.replace('integrity = "sha256-9', 'integrity = "sha256-A')
        self.assertNotEqual(text, changed)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "MODULE.bazel")
            with open(path, "w", encoding="utf-8") as file:
                file.write(changed)
            self.assertNotEqual(pins.module_pins(path), self.module)


if __name__ == "__main__":
    unittest.main()
