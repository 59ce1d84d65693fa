#include "spec/yaml_document.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

struct Parsed {
    std::vector<ov::YamlPtr> documents;
    std::string findings;
};

Parsed parse(const std::string& text) {
    std::vector<ov::Diagnostic> findings;
    Parsed parsed{ov::spec::parse_yaml(text, "f.yml", findings), {}};
    for (const ov::Diagnostic& finding : findings) parsed.findings += finding.str() + "\n";
    return parsed;
}

}  // namespace

TEST_CASE("each trap of YAML is a finding with its place") {
    struct Row {
        const char *rule, *text, *finding;
    };
    const Row rows[] = {
        {"duplicate key", "a: 1\nb: 2\na: 3\n", "f.yml:3:1: duplicate key \"a\", first at line 1"},
        {"text after a flow mapping", "{a: 1}, b\n", "f.yml:1:7: YAML: text after the end of the value"},
        {"duplicate key in flow", "{a: 1, a: 2}", "f.yml:1:8: duplicate key \"a\""},
        {"complex key", "? [x]\n: y\n", "f.yml:1:3: a key must be a text, not a list"},
        {"tag", "a: !!binary aGk=\n", "tag tag:yaml.org,2002:binary is not supported"},
        {"local tag on a map", "a: !thing {b: c}\n", "tag !thing is not supported"},
        {"NUL", "a: \"x\\0y\"\n", "f.yml:1:4: a text with a NUL byte"},
        {"merge of a scalar", "a: {<<: 3}\n", "a merge key takes a mapping or a list of them, not a text"},
        {"syntax", "a: [1\nb: 2\n", "f.yml:2:2: YAML: "},
        {"undefined alias", "a: *nobody\n", "YAML: "},
        {"alias inside itself", "a: &x [*x]\n", "an alias inside the value that it names"},
        {"tab indentation", "a:\n\t- b\n", "YAML: "},
        {"a stray comma begins a document", ",a: b\n", "f.yml:1:1: YAML: text after the end of the value"},
        {"a stray comma begins a later document", "a: b\n---\n,c\n", "f.yml:3:1: YAML: text after the end of the value"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        const std::string findings = parse(row.text).findings;
        CAPTURE(findings);
        CHECK(findings.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("scalars keep their source text and know whether they were quoted") {
    const auto root = parse("{a: yes, b: 010, c: 1.10, d: 'no', e: ~, f: , g: \"\", h: 0x1F, i: !!str 5}").documents.at(0);
    const auto text = [&](const char* key) { return root->find(key)->text; };
    CHECK(text("a") == "yes");
    CHECK(text("b") == "010");
    CHECK(text("c") == "1.10");
    CHECK(text("d") == "no");
    CHECK_FALSE(root->find("d")->plain);
    CHECK(root->find("e")->is_null());
    CHECK(root->find("f")->is_null());
    CHECK(root->find("g")->is_scalar());
    CHECK(text("h") == "0x1F");
    CHECK_FALSE(root->find("i")->plain);
}

TEST_CASE("merge keys are expanded: own entries win, then earlier sources") {
    const auto root = parse("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nall: {<<: [*b, *m], x: own}\n").documents.at(0);
    const ov::YamlNode& all = *root->find("all");
    CHECK(all.entries.size() == 3);
    CHECK(all.find("x")->text == "own");
    CHECK(all.find("y")->text == "2");
    CHECK(all.find("z")->text == "4");
}

TEST_CASE("an alias stands where it is used") {
    const auto root = parse("a: &x\n  k: v\nb: *x\n").documents.at(0);
    CHECK(root->find("b")->line == 3);
    CHECK(root->find("b")->column == 4);
    CHECK(root->find("b")->find("k")->text == "v");
}

TEST_CASE("aliases that multiply are refused before they eat the memory") {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int n = 0; n < 10; ++n) text += (n == 0 ? "" : ", ") + before;
        text += "]\n";
    }
    CHECK(parse(text).findings.find("aliases expand to more than a million values") != std::string::npos);
}

TEST_CASE("nesting without end is refused") {
    CHECK_FALSE(parse(std::string(100000, '[')).findings.empty());
    CHECK_FALSE(parse(std::string(20000, '{')).findings.empty());
}

TEST_CASE("a stream holds documents, an empty one holds none") {
    CHECK(parse("").documents.empty());
    CHECK(parse("# only a comment\n").documents.empty());
    CHECK(parse("a: 1\n---\nb: 2\n---\n").documents.size() == 3);
}

TEST_CASE("equal values: order, quotes and places do not count, types and texts do") {
    struct Row {
        const char *a, *b;
        bool equal;
    };
    const Row rows[] = {
        {"{a: 1, b: [x]}", "b:\n- x\na: 1\n", true},
        {"{a: x}", "{a: 'x'}", true},
        {"{a: 1}", "{a: '1'}", false},
        {"{a: yes}", "{a: 'yes'}", false},
        {"[a, b]", "[b, a]", false},
        {"{a: }", "{}", false},
        {"{a: x}", "{a: [x]}", false},
        {"~", "null", true},
        {"{a: 2026-01-01}", "{a: '2026-01-01'}", false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.a);
        CAPTURE(row.b);
        CHECK(ov::equal_values(*parse(row.a).documents.at(0), *parse(row.b).documents.at(0)) == row.equal);
    }
}
