#include "spec/yaml_document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "ov/error.hpp"

namespace ov::spec {

namespace {

/// An alias counts as often as it is used. Past this many values a document is an attack, not a configuration.
constexpr std::size_t max_values = 1'000'000;

class TreeBuilder : public YAML::EventHandler {
public:
    TreeBuilder(const std::string& file, std::vector<Diagnostic>& findings) : file_(file), findings_(findings) {}

    std::vector<YamlPtr> documents;

    void OnDocumentStart(const YAML::Mark& mark) override {
        // A comma after a flow mapping is never consumed: the parser would answer with empty documents for ever.
        if (begin_ == mark.pos) throw YAML::ParserException(mark, "text after the end of the value");
        begin_ = mark.pos;
        anchors_.clear();
        open_.clear();
        values_ = 0;
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { finish(make(YamlNode::Kind::null, mark), anchor, 1); }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
        auto node = make(YamlNode::Kind::scalar, mark);
        node->plain = tag == "?";
        if (tag != "?" && tag != "!") refuse_tag(*node, tag);
        if (value.find('\0') != std::string::npos) report(*node, "a text with a NUL byte cannot reach a machine");
        node->text = value;
        finish(std::move(node), anchor, 1);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        auto node = make(YamlNode::Kind::null, mark);
        if (found == anchors_.end()) {
            report(*node, "an alias inside the value that it names");
            return finish(std::move(node), 0, 1);
        }
        const int line = node->line, column = node->column;
        *node = *found->second.node;
        node->line = line;
        node->column = column;
        finish(std::move(node), 0, found->second.values);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        start(YamlNode::Kind::sequence, mark, tag, anchor);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        start(YamlNode::Kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override {
        check_duplicates(*open_.back().node);
        expand_merge_keys(*open_.back().node);
        end();
    }

private:
    struct Open {
        std::shared_ptr<YamlNode> node;
        YAML::anchor_t anchor = 0;
        std::size_t values = 1;
        bool has_key = false;  ///< map: the next value belongs to `entries.back()`
    };
    struct Anchored {
        YamlPtr node;
        std::size_t values = 1;
    };

    static std::shared_ptr<YamlNode> make(YamlNode::Kind kind, const YAML::Mark& mark) {
        auto node = std::make_shared<YamlNode>();
        node->kind = kind;
        node->line = mark.line + 1;
        node->column = mark.column + 1;
        return node;
    }

    void report(const YamlNode& node, std::string message) { report(node.line, node.column, std::move(message)); }
    void report(int line, int column, std::string message) {
        findings_.push_back({{file_, line, column}, {}, std::move(message), Severity::error});
    }
    void refuse_tag(const YamlNode& node, const std::string& tag) {
        if (tag == "tag:yaml.org,2002:str") return;
        report(node, fmt::format("tag {} is not supported here; write the plain value", tag));
    }

    void start(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        auto node = make(kind, mark);
        if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(*node, tag);
        open_.push_back({std::move(node), anchor, 1, false});
    }

    void end() {
        Open done = std::move(open_.back());
        open_.pop_back();
        finish(std::move(done.node), done.anchor, done.values);
    }

    void finish(std::shared_ptr<YamlNode> node, YAML::anchor_t anchor, std::size_t values) {
        if (anchor != 0) anchors_[anchor] = {node, values};
        if (open_.empty()) {
            documents.push_back(std::move(node));
            return;
        }
        Open& parent = open_.back();
        parent.values += values;
        values_ = std::max(values_, parent.values);
        if (values_ > max_values)
            throw YAML::ParserException(YAML::Mark::null_mark(), "aliases expand to more than a million values");
        if (parent.node->is_sequence()) {
            parent.node->items.push_back(std::move(node));
        } else if (parent.has_key) {
            parent.node->entries.back().value = std::move(node);
            parent.has_key = false;
        } else {
            if (!node->is_scalar() && !node->is_null())
                report(*node, fmt::format("a key must be a text, not a {}", kind_name(*node)));
            parent.node->entries.push_back({std::move(node->text), node->line, node->column, nullptr});
            parent.has_key = true;
        }
    }

    void check_duplicates(const YamlNode& map) {
        std::unordered_map<std::string_view, const YamlEntry*> seen;
        for (const YamlEntry& entry : map.entries) {
            const auto [first, is_new] = seen.emplace(entry.key, &entry);
            if (is_new) continue;
            report(entry.line, entry.column,
                   fmt::format("duplicate key \"{}\", first at line {}", entry.key, first->second->line));
        }
    }

    /// `<<: *base` and `<<: [*a, *b]`: entries of the map itself win, then those of earlier sources.
    void expand_merge_keys(YamlNode& map) {
        const auto merge = std::find_if(map.entries.begin(), map.entries.end(), [](const YamlEntry& e) { return e.key == "<<"; });
        if (merge == map.entries.end()) return;
        const YamlEntry source = *merge;
        map.entries.erase(merge);
        const auto add = [&](const YamlNode& from) {
            if (!from.is_map()) {
                report(source.line, source.column,
                       fmt::format("a merge key takes a mapping or a list of them, not a {}", kind_name(from)));
                return;
            }
            for (const YamlEntry& entry : from.entries)
                if (map.find(entry.key) == nullptr) map.entries.push_back(entry);
        };
        if (source.value->is_sequence())
            for (const YamlPtr& item : source.value->items) add(*item);
        else
            add(*source.value);
    }

    const std::string& file_;
    std::vector<Diagnostic>& findings_;
    std::unordered_map<YAML::anchor_t, Anchored> anchors_;
    std::vector<Open> open_;
    std::size_t values_ = 0;
    int begin_ = -1;  ///< of the document that was read last
};

}  // namespace

std::vector<YamlPtr> parse_yaml(std::string_view text, const std::string& file, std::vector<Diagnostic>& findings) {
    TreeBuilder builder(file, findings);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& e) {
        const bool placed = !e.mark.is_null();
        findings.push_back(
            {{file, placed ? e.mark.line + 1 : 0, placed ? e.mark.column + 1 : 0}, {}, "YAML: " + e.msg, Severity::error});
    }
    return std::move(builder.documents);
}

std::string read_text_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        const int code = errno;
        throw Error(code == ENOENT ? Errc::not_found : Errc::io, fmt::format("{}: {}", path, std::strerror(code)));
    }
    std::ostringstream content;
    content << file.rdbuf();
    if (file.bad() || content.bad()) throw Error(Errc::io, path + ": cannot be read");
    return std::move(content).str();
}

}  // namespace ov::spec
