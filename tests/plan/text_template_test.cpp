// The templates of a project's build vocabulary.
#include "plan/text_template.hpp"

#include <doctest/doctest.h>

#include "ov/error.hpp"
#include "spec/yaml_document.hpp"

namespace {

ov::YamlPtr yaml(const std::string& text) {
    std::vector<ov::Diagnostic> findings;
    return ov::spec::parse_yaml(text, "data.yml", findings).at(0);
}

std::string filled(const std::string& text, const ov::YamlPtr& data) {
    try {
        return ov::fill_template("t", text, data);
    } catch (const ov::Error& error) {
        return std::string("! ") + error.what();
    }
}

}  // namespace

TEST_CASE("templates of the build vocabulary: what is filled in, and what is refused by name, line and action") {
    const ov::YamlPtr data = yaml(
        "{Mnt: /mnt, SSHUser: ana, Empty: '', Off: false, List: [a, b], None: [], distro: {debootstrap: {base_package: [x, y], "
        "mirror: 'http://m'}}}");
    struct Row {
        const char *rule, *text, *result;
    };
    const Row rows[] = {
        {"plain text stays", "a {b} }}\n", "a {b} }}\n"},
        {"a field", "cd {{.Mnt}}/x", "cd /mnt/x"},
        {"a name of capitals", "{{.SSHUser}}", "ana"},
        {"a field of a field, by its YAML key", "{{.Distro.Debootstrap.Mirror}}", "http://m"},
        {"a plural is the singular key", "{{range .Distro.Debootstrap.BasePackages}}{{.}} {{end}}", "x y "},
        {"what is missing is empty", "[{{.No.Such.Thing}}]", "[]"},
        {"if", "{{if .Mnt}}yes{{end}}", "yes"},
        {"an empty text is no", "{{if .Empty}}yes{{else}}no{{end}}", "no"},
        {"false is no", "{{if .Off}}yes{{else}}no{{end}}", "no"},
        {"an empty list is no", "{{if .None}}yes{{else}}no{{end}}", "no"},
        {"else if, the first that holds", "{{if .Empty}}1{{else if .Mnt}}2{{else if .List}}3{{else}}4{{end}}", "2"},
        {"nested", "{{if .Mnt}}{{if .Empty}}1{{else}}2{{end}}{{else}}{{if .Mnt}}3{{end}}{{end}}", "2"},
        {"range over nothing", "[{{range .None}}x{{end}}{{range .No}}y{{end}}]", "[]"},
        {"range sees the root by $", "{{range .List}}{{$.Mnt}}/{{.}} {{end}}", "/mnt/a /mnt/b "},
        {"trim markers", "a\n  {{- if .Mnt}}\nb\n  {{- end}}\nc {{.Mnt -}}\n  d", "a\nb\nc /mntd"},
        {"a comment", "a{{/* no */}}b", "ab"},
        {"join", "{{join .List \",\"}}", "a,b"},
        {"replace of printf", "{{replace (printf \"%s\" \"main,contrib\") \",\" \" \"}}", "main contrib"},
        {"printf", "{{printf \"/k/%s.gpg %%\" .Mnt}}", "/k//mnt.gpg %"},
        {"default", "{{default .Empty \"d\"}}{{default .Mnt \"d\"}}", "d/mnt"},
        {"or, and, not, eq", "{{if and (not .Empty) (or .Off .Mnt) (eq .Mnt \"/mnt\")}}yes{{end}}", "yes"},
        {"quote is for a shell", "{{quote \"it's\"}}", "'it'\\''s'"},
        {"escapes", "{{printf \"a\\tb\\\"%s\" \"c\"}}", "a\tb\"c"},
        {"a function that there is none of", "\n{{cacheMounts .List}}",
         "! t: line 2: {{cacheMounts .List}}: no function cacheMounts"},
        {"not looked up where it is not reached", "{{if .Empty}}{{cacheMounts .List}}{{end}}", ""},
        {"no end", "{{if .Mnt}}a", "! t: line 1: {{if .Mnt}} without {{end}}"},
        {"an end too much", "a\n\n{{end}}", "! t: line 3: {{end}} without an if or range"},
        {"braces that do not close", "a\n{{.Mnt", "! t: line 2: {{ without }}"},
        {"a list is no text", "{{.List}}", "! t: line 1: {{.List}} is a list, not text"},
        {"a pipeline", "{{.Mnt | quote}}", "! t: line 1: {{.Mnt | quote}}: | is not supported here"},
        {"a quote that does not close", "{{join .List \"}}", "! t: line 1: {{join .List \"}}: an unclosed \""},
        {"a parenthesis too much behind an operand", "a\n{{quote .Mnt)}}",
         "! t: line 2: {{quote .Mnt)}}: a ) too much at character 11"},
        {"a parenthesis too much by itself", "{{ .Mnt ) }}", "! t: line 1: {{.Mnt )}}: a ) too much at character 6"},
        {"a parenthesis too much in a condition", "{{if .Off}}{{else if (not .Mnt))}}{{end}}",
         "! t: line 1: {{else if (not .Mnt))}}: a ) too much at character 19"},
        {"too few values", "{{join .List}}", "! t: line 1: join: 2 values are expected, not 1"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        const std::string result = filled(row.text, data);
        CHECK(result.substr(0, result[0] == '!' ? std::string(row.result).size() : std::string::npos) == row.result);
    }
}
