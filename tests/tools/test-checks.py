#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives the checks of tools/ small trees with one fault each, and sees that just it is reported."""
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"

LAYERS = """
base:
core: base core/data
core/data: base
os: base
os/linux: os
"""
HEADERS = """
string.h: *
sys/*: os/*
"""
# Obeys both blocks, and does all that they allow.
SOURCES = {
    "base/bytes.h": "#include <string.h>\nvoid bytes_copy(void);\n",
    "base/bytes.c": '#include "base/bytes.h"\nvoid bytes_copy(void)\n{\n}\n',
    "core/node.h": "void node_tick(void);\n",
    "core/node.c": '#include "base/bytes.h"\n#include "core/data/data.h"\n#include "core/node.h"\n'
                   "void node_tick(void)\n{\n\tbytes_copy();\n\tdata_out();\n}\n",
    "core/data/data.h": "void data_out(void);\n",
    "core/data/data.c": '#include "base/bytes.h"\n#include "core/data/data.h"\n'
                        "void data_out(void)\n{\n\tbytes_copy();\n}\n",
    "os/file.h": '#include "base/bytes.h"\n',
    "os/linux/file.c": '#include "os/file.h"\n#include <sys/stat.h>\n'
                       "#if defined(TUN) || \\\n\tdefined(__linux__)\n#endif\n",
}


class CheckCase(unittest.TestCase):
    """Runs a check over a temporary tree."""

    script = None
    options = []

    def run_check(self, *options, layers=LAYERS, headers=HEADERS, commands=(), **changes):
        """The lines that it prints but the last, a count, and its status. A change a__b_c is of
        a/b.c; a text that starts with + is added to what there is. Commands are those of build/."""
        sources = dict(SOURCES)
        for name, text in changes.items():
            name = ".".join(name.replace("__", "/").rsplit("_", 1))
            sources[name] = sources[name] + text[1:] if text.startswith("+") else text
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            document = f"<!-- layers -->\n```{layers}```\n<!-- headers -->\n```{headers}```\n"
            files = {"docs/ARCHITECTURE.md": document,
                     "build/compile_commands.json": json.dumps(commands)}
            files |= {f"src/{name}": text for name, text in sources.items()}
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            done = subprocess.run([TOOLS / self.script, "--root", root, *options], cwd=root,
                                  capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()[:-1], done.returncode

    def expect(self, *complaints, **tree):
        self.assertEqual(self.run_check(*self.options, **tree), (list(complaints), 1))

    def expect_nothing(self, **tree):
        self.assertEqual(self.run_check(*self.options, **tree), ([], 0))


class Layers(CheckCase):
    script = "check-layers.py"

    def test_a_tree_that_obeys_passes(self):
        self.expect_nothing()

    def test_an_include_of_a_folder_above_is_reported(self):
        self.expect("src/base/bytes.c:5: base may not include core: core/node.h",
                    base__bytes_c='+#include "core/node.h"\n')

    def test_an_include_of_a_folder_beside_is_reported(self):
        self.expect("src/core/data/data.c:7: core/data may not include core: core/node.h",
                    core__data__data_c='+#include "core/node.h"\n')

    def test_a_rule_for_a_folder_is_not_one_for_those_below(self):
        self.expect("src/core/node.c:2: core may not include core/data: core/data/data.h",
                    layers=LAYERS.replace("core/data\n", "core\n", 1))

    def test_a_star_allows_a_folder_and_those_below(self):
        self.expect_nothing(layers=LAYERS.replace("os: base", "os: base core/*"),
                            os__file_h='+#include "core/node.h"\n#include "core/data/data.h"\n')

    def test_a_folder_without_a_rule_falls_under_its_parents(self):
        self.expect_nothing(core__data__inner__deep_h='#include "base/bytes.h"\n',
                            core__data__data_h='#include "core/data/inner/deep.h"\n')
        self.expect("src/core/data/inner/deep.h:1: core/data may not include os: os/file.h",
                    core__data__inner__deep_h='#include "os/file.h"\n')

    def test_a_folder_that_no_rule_names_is_reported(self):
        self.expect("src/wire/packet.h: no rule is for this folder", wire__packet_h="\n")

    def test_a_rule_for_a_folder_that_is_not_there_is_reported(self):
        self.expect("docs/ARCHITECTURE.md:8: no files are in src/wire", layers=LAYERS + "wire:\n")

    def test_a_second_rule_for_a_folder_is_reported(self):
        self.expect("docs/ARCHITECTURE.md:3: base has a second rule below",
                    layers=LAYERS + "base:\n")

    def test_a_rule_that_allows_what_has_no_rule_is_reported(self):
        self.expect("docs/ARCHITECTURE.md:3: wire has no rule of its own",
                    layers=LAYERS.replace("base:", "base: wire"))
        self.expect("docs/ARCHITECTURE.md:12: host/* has no rule of its own",
                    headers=HEADERS.replace("os/*", "os/* host/*"))

    def test_an_include_of_nothing_is_reported(self):
        self.expect('src/core/node.h:2: "base/nothing.h" is not a path below src/',
                    core__node_h='+#include "base/nothing.h"\n')
        self.expect('src/os/file.h:2: "os/../core/node.h" is not a path below src/',
                    os__file_h='+#include "os/../core/node.h"\n')
        self.expect("src/core/node.h:2: an include that names no file",
                    core__node_h="+#include HEADER\n")

    def test_an_include_cycle_is_reported_once(self):
        self.expect("src/core/first.h:2: include cycle: "
                    "core/first.h -> core/second.h -> core/first.h",
                    core__first_h='#include "core/node.h"\n#include "core/second.h"\n',
                    core__second_h='#include "core/first.h"\n')

    def test_a_header_of_another_folder_is_reported(self):
        self.expect("src/core/node.c:9: <sys/stat.h> is not for core",
                    core__node_c="+#include <sys/stat.h>\n")

    def test_a_header_that_the_block_does_not_name_is_reported(self):
        self.expect("src/core/node.c:9: <time.h> is not in the headers block",
                    core__node_c="+#include <time.h>\n")

    def test_a_platform_macro_is_reported_but_in_a_systems_folder(self):
        macro = "#ifdef A\n#elif 1 || \\\n\tdefined(_WIN32)\n#endif\n"
        text = "platform macro outside the folders of src/os: " + macro.partition("\n")[2][:-8]
        self.assertEqual(self.run_check(base__bytes_h="+" + macro),
                         (f"src/base/bytes.h:4: {text}".splitlines(), 1))
        self.assertEqual(self.run_check(os__file_h="+" + macro),
                         (f"src/os/file.h:3: {text}".splitlines(), 1))
        self.expect_nothing(os__linux__file_c="+" + macro)

    def test_comments_and_strings_are_passed_over(self):
        self.expect_nothing(base__bytes_c='+/*\n#include "core/node.h"\n*/\n'
                                          '// #include "core/node.h"\n')
        self.expect("src/base/bytes.c:6: base may not include core: core/node.h",
                    base__bytes_c='+char *s = "/*";\n#include "core/node.h"\nchar *t = "*/";\n')


class Words(CheckCase):
    script = "check-words.py"

    def test_texts_without_options_pass(self):
        self.expect_nothing(os__file_h='+char *a = "the TAP-driver is missing; choose another";\n'
                                       '/* "option -d" in a comment */\n'
                                       'char *b = "limits (ulimit -n), x-y, a - b, -5";\n')

    def test_an_option_in_a_text_is_reported(self):
        self.expect('src/os/file.h:1: names an option: "choose another (option -d)"',
                    os__file_h='char *a = "choose another (option -d)";\n')
        self.expect('src/core/node.c:3: names an option: "with --state-dir"',
                    core__node_c='/* one\n   two */\nchar *a = "with --state-dir";\n')

    def test_programs_and_their_tables_may_name_options(self):
        self.expect_nothing(conf__options_c='char *a = "option -M";\n',
                            edge__main_c='char *a = "use -K";\n')


class LayersStrict(CheckCase):
    script = "check-layers.py"
    options = ["--strict"]

    def expect(self, *remarks, **tree):
        """Remarks do not fail."""
        self.assertEqual(self.run_check(*self.options, **tree), (list(remarks), 0))

    def test_a_tree_that_does_all_it_may_gets_no_remark(self):
        self.expect_nothing()

    def test_what_is_allowed_and_unused_is_remarked(self):
        self.expect("docs/ARCHITECTURE.md:3: nothing in base sees os",
                    layers=LAYERS.replace("base:", "base: os"))
        self.expect("docs/ARCHITECTURE.md:12: core includes none of sys/*",
                    headers=HEADERS.replace("os/*", "os/* core"))
        self.expect("docs/ARCHITECTURE.md:12: nobody includes <net/*>",
                    headers=HEADERS.replace("sys/*", "sys/* net/*"))

    def test_folders_that_include_each_other_are_remarked(self):
        self.expect("ARCHITECTURE.md: 2 folders include each other: base, os; "
                    "the shortest way round: base -> os -> base",
                    layers=LAYERS.replace("base:", "base: os"),
                    base__bytes_c='+#include "os/system.h"\n', os__system_h="\n")


class Calls(CheckCase):
    script = "check-calls.py"
    both_ways = LAYERS.replace("core/data: base", "core/data: base core")

    def expect_circle(self, place, **tree):
        """A call of data_in in core/data/data at this place closes a circle."""
        self.expect("circle of 2 files: core/data/data, core/node; a shortest way round:",
                    f"  {place}: data_in -> node_tick (core/node)",
                    "  src/core/node.c:7: node_tick -> data_out (core/data/data)",
                    layers=self.both_ways, **tree)

    def test_calls_downwards_are_no_circle(self):
        self.expect_nothing()

    def test_two_files_that_call_each_other_are_a_circle(self):
        self.expect_circle("src/core/data/data.c:8", core__data__data_c='+#include "core/node.h"\n'
                           "void data_in(void) { node_tick(); }\n")

    def test_an_inline_function_counts_for_its_header_though_nobody_calls_it(self):
        self.expect_circle("src/core/data/data.h:3", core__data__data_h='+#include "core/node.h"\n'
                           "static inline void data_in(void) { node_tick(); }\n")

    def test_a_call_in_a_macro_counts_where_the_macro_is_used(self):
        self.expect_circle("src/core/data/data.c:8", core__data__data_c='+#include "core/node.h"\n'
                           "void data_in(void) { TICK(); }\n",
                           core__node_h="+#define TICK() node_tick()\n")

    def test_a_call_that_never_happens_counts(self):
        self.expect_circle("src/core/data/data.c:8", core__data__data_c='+#include "core/node.h"\n'
                           "void data_in(void) { if (0) (*&node_tick)(); }\n")

    def test_the_way_round_is_a_shortest_one(self):
        self.expect("circle of 4 files: core/a, core/b, core/c, core/d; a shortest way round:",
                    "  src/core/a.c:2: a -> b (core/b)",
                    "  src/core/b.c:2: b -> d (core/d)",
                    "  src/core/d.c:2: d -> a (core/a)",
                    core__a_c="void b(void);\nvoid a(void) { b(); }\n",
                    core__b_c="void c(void), d(void);\nvoid b(void) { d(); c(); }\n",
                    core__c_c="void d(void);\nvoid c(void) { d(); }\n",
                    core__d_c="void a(void);\nvoid d(void) { a(); }\n")

    def test_calls_within_a_file_and_its_header_are_no_circle(self):
        self.expect_nothing(core__data__data_h="+static inline void data_in(void) "
                                               "{ data_out(); }\n",
                            core__data__data_c="+static void own(int n) { if (n) own(n - 1); }\n"
                                               "void data_all(void) { data_in(); own(2); }\n")

    def test_static_functions_of_one_name_are_not_taken_for_each_other(self):
        self.expect_nothing(core__node_c="+static void help(void) { data_out(); }\n"
                                         "void node_help(void) { help(); }\n",
                            core__data__data_c="+static void help(void) { }\n"
                                               "void data_help(void) { help(); }\n")

    def test_a_function_is_static_if_it_was_declared_so(self):
        self.expect_nothing(core__data__a_c="void help(void) { }\n",
                            core__data__data_c="+static void help(void);\nvoid low(void);\n"
                                               "void data_help(void) { help(); low(); }\n"
                                               "void help(void) { }\n",
                            core__data__low_c="void help(void);\nvoid low(void) { help(); }\n")

    def test_a_call_through_a_table_of_functions_is_no_circle(self):
        table = "struct role { void (*tick)(void); };\nvoid data_ask(const struct role *role);\n"
        self.expect_nothing(
            core__data__data_h="+" + table,
            core__data__data_c="+void data_ask(const struct role *role) { role->tick(); }\n",
            core__node_c="+static const struct role role = { node_tick };\n"
                         "void node_run(void) { data_ask(&role); }\n")

    def test_a_call_without_an_include_must_be_allowed_as_well(self):
        self.expect("core/data may not call core: "
                    "src/core/data/data.c:8: data_in -> low (core/low)",
                    core__low_c="void low(void) { }\n",
                    core__data__data_c="+void low(void);\nvoid data_in(void) { low(); }\n")

    def test_a_call_to_outside_the_folder_must_be_allowed_as_well(self):
        self.expect("core may not call base: "
                    "src/core/node.c:6: node_tick -> bytes_copy (base/bytes)",
                    layers=LAYERS.replace("core: base", "core:"))

    def test_the_flags_of_a_build_directory_are_used(self):
        entry = {"directory": "..", "file": "src/core/data/data.c",
                 "command": "gcc -Isrc -DUP -O2 -c src/core/data/data.c"}
        self.options = ["--build", "build"]
        self.expect_circle("src/core/data/data.c:9", commands=[entry],
                           core__data__data_c='+#include "core/node.h"\n#ifdef UP\n'
                                              "void data_in(void) { node_tick(); }\n#endif\n")

    def test_a_source_that_does_not_compile_fails(self):
        with self.assertRaisesRegex(AssertionError, "clang failed with .*data.c"):
            self.run_check(core__data__data_c="+int wrong\n")

    def test_the_graph_shows_the_lowest_files_first(self):
        self.assertEqual(self.run_check("--graph"), (["level 0", "  core/data/data", "level 1",
                                                      "  core/node: core/data/data"], 0))


class CallsStrict(CheckCase):
    script = "check-calls.py"

    def expect(self, *remarks, **tree):
        self.assertEqual(self.run_check("--strict", **tree), (list(remarks), 0))

    def test_functions_that_are_handed_on_are_listed(self):
        self.expect("hands a function on to data_call: "
                    "src/core/node.c:10: node_run -> bytes_copy (base/bytes)",
                    "hands a function on: "
                    "src/core/node.c:11: node_run -> data_out (core/data/data)",
                    core__data__data_h="+void data_call(void (*f)(void));\n",
                    core__node_c="+void node_run(void)\n{\tdata_call(bytes_copy);\n"
                                 "\tvoid (*f)(void) = data_out;\n\tdata_call(f);\n}\n")

    def test_own_functions_tables_and_destructors_of_what_retires_are_not(self):
        self.expect(core__data__data_h="+void data_call(void (*f)(void)), "
                                       "data_retire(void (*f)(void));\n",
                    core__node_c="+void node_run(void)\n{\n\tdata_call(node_tick);\n"
                                 "\tdata_retire(data_out);\n"
                                 "\tstatic void (*const table[])(void) = {data_out};\n"
                                 "\ttable[0]();\n}\n")

    def test_what_is_allowed_and_unused_is_remarked(self):
        self.expect("docs/ARCHITECTURE.md:4: nothing in core includes or calls os",
                    layers=LAYERS.replace("core: base", "core: base os"))


if __name__ == "__main__":
    unittest.main()
