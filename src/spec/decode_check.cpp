#include "spec/decode_check.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/near_name.hpp"
#include "spec/check_schema.hpp"
#include "spec/check_values.hpp"

namespace ov::spec {
namespace {

const ModifierRow* modifier(std::string_view key) {
    for (const ModifierRow& row : check_modifiers())
        if (row.key == key || (!row.alias.empty() && row.alias == key)) return &row;
    return nullptr;
}

bool is_common(std::string_view key) {
    const ModifierRow* row = modifier(key);
    return row != nullptr && row->verbs == "*";
}

bool refers(const std::string& text) {
    return text.find("${") != std::string::npos;
}

bool is_identifier(std::string_view text) {
    if (text.empty() || (text.front() >= '0' && text.front() <= '9') || text.front() == '-') return false;
    return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

/// Decodes one check and says what is wrong with it. All findings begin with the owner and the check.
class CheckDecoder {
public:
    CheckDecoder(const Cursor& item, std::size_t number, const CheckOwner& owner) : item_(item), owner_(owner) {
        const YamlNode* id = item.node().find("id");
        name_ = id != nullptr && id->is_scalar() ? id->text : std::to_string(number);
    }

    std::optional<Check> decode() {
        if (!item_.node().is_map()) {
            item_.expected("a mapping with one verb");
            return std::nullopt;
        }
        check_.where = item_.where();
        check_.origin = owner_.origin;
        check_.scope = owner_.scope;
        const bool has_verb = find_verb();
        for (const auto& [key, value] : item_.entries()) take(key, value);
        const bool override_only = !has_verb && !check_.id.empty() && check_.skip;
        if (!has_verb && !override_only && verbs_.empty()) problem("no verb");
        if (verb_ != nullptr) {
            subject_rules();
            relations();
        }
        return check_;
    }

private:
    void problem(std::string message) { problem_at(item_, std::move(message)); }
    void problem_at(const Cursor& where, std::string message) {
        where.error(fmt::format("{}, check {}: {}", owner_.name, name_, message));
    }

    bool find_verb() {
        bool protocol = false;
        for (const YamlEntry& entry : item_.node().entries) {
            const VerbRow* row = check_verb(entry.key);
            if (row == nullptr) continue;
            // `port: 0` is no port.
            if (entry.key == "port" && entry.value->is_scalar() && entry.value->text == "0") continue;
            verbs_.push_back(entry.key);
            protocol = protocol || row->kind != VerbKind::guest_or_host;
        }
        if (protocol) std::erase(verbs_, "command");
        if (verbs_.size() > 1) {
            std::ranges::sort(verbs_);
            std::string names;
            for (const std::string& verb : verbs_) names += (names.empty() ? "" : ", ") + verb;
            problem("multiple verbs: " + names);
            return false;
        }
        if (verbs_.empty()) return false;
        verb_ = check_verb(verbs_.front());
        check_.verb = verbs_.front();
        return true;
    }

    void take(const std::string& key, const Cursor& value) {
        if (key == check_.verb) {
            check_.subject = key == "matching" ? check_text(value.node()) : scalar(value);
            return;
        }
        if (key == "id") {
            check_.id = scalar(value);
        } else if (key == "description") {
            check_.description = scalar(value);
        } else if (key == "skip") {
            check_.skip = value.boolean().value_or(false);
        } else if (key == "scope") {
            const std::string scope = scalar(value);
            if (scope == "build" || scope == "deploy")
                check_.scope = scope == "build" ? CheckScope::build : CheckScope::deploy;
            else
                problem_at(value, fmt::format("scope: expected build or deploy, got '{}'", scope));
        } else if (key == "origin") {
            check_.origin = scalar(value);
        } else if (verb_ != nullptr && verb_->kind == VerbKind::container && !is_common(key)) {
            if (value.node().is_scalar()) check_.texts[key] = check_text(value.node());
        } else if (key == "port" || (check_verb(key) != nullptr && key != "command")) {
            // Another verb; said already. `port: 0` is none.
        } else {
            take_modifier(key, value);
        }
    }

    void take_modifier(const std::string& key, const Cursor& value) {
        const ModifierRow* row = modifier(key);
        if (row == nullptr) {
            std::vector<std::string> known;
            for (const ModifierRow& one : check_modifiers()) known.emplace_back(one.key);
            problem_at(value, fmt::format("unknown key {}{}", key, did_you_mean(key, known)));
            return;
        }
        if (verb_ != nullptr && row->verbs != "*" && !among(row->verbs, verb_->name)) {
            problem_at(value, fmt::format("the verb {} has no modifier {}", verb_->name, key));
            return;
        }
        const std::string name(row->key);
        switch (row->kind) {
            case ModifierKind::list:
                check_.lists[name] = value.node().is_sequence() ? texts_of(value) : std::vector{check_text(value.node())};
                return;
            case ModifierKind::texts_by_tag:
                for (const auto& [tag, text] : value.entries()) check_.package_map[tag] = check_text(text.node());
                return;
            case ModifierKind::contains:
                check_.matchers[name] = decode_matchers(value, MatchOperator::contains);
                return;
            case ModifierKind::matchers:
                check_.matchers[name] = decode_matchers(value, MatchOperator::equals);
                return;
            default:
                check_.texts[name] = modifier_text(*row, key, value);
        }
    }

    std::string scalar(const Cursor& value) {
        if (!value.node().is_scalar()) {
            if (!value.node().is_null()) value.expected("a text");
            return {};
        }
        return check_text(value.node());
    }

    static std::vector<std::string> texts_of(const Cursor& list) {
        std::vector<std::string> all;
        for (const YamlPtr& item : list.node().items) all.push_back(check_text(*item));
        return all;
    }

    std::string modifier_text(const ModifierRow& row, const std::string& key, const Cursor& value) {
        if (row.kind == ModifierKind::boolean) return value.boolean().value_or(false) ? "true" : "false";
        // The digits of a mode are what was written, also when YAML would read a number.
        std::string text = row.kind == ModifierKind::octal && value.node().is_scalar() ? value.node().text : scalar(value);
        if (refers(text)) return text;
        long long number = 0;
        const auto is_integer = [&text, &number] {
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            return !text.empty() && error == std::errc{} && end == text.data() + text.size();
        };
        switch (row.kind) {
            case ModifierKind::integer:
                if (!is_integer()) problem_at(value, fmt::format("{}: expected an integer, got '{}'", key, text));
                break;
            case ModifierKind::natural:
                if (!is_integer() || number < 0)
                    problem_at(value, fmt::format("{}: expected an integer of at least 0, got '{}'", key, text));
                break;
            case ModifierKind::octal:
                if (text.starts_with("0o")) text = "0" + text.substr(2);
                if (text.empty() || text.find_first_not_of("01234567") != std::string::npos)
                    problem_at(value, fmt::format("{}: expected an octal mode, got '{}'", key, text));
                break;
            case ModifierKind::duration: {
                const auto length = parse_go_duration(text);
                if (!length || length->count() <= 0)
                    problem_at(value, fmt::format("{}: expected a duration above 0 such as 1m30s, got '{}'", key, text));
                break;
            }
            case ModifierKind::pattern: {
                const std::string wrong = matcher_problem({MatchOperator::matches, {text}});
                if (!wrong.empty()) problem_at(value, fmt::format("{}: {}", key, wrong));
                break;
            }
            default:
                break;
        }
        if (!row.values.empty() && !among(row.values, text))
            problem_at(value, fmt::format("{}: expected one of {}, got '{}'", key, row.values, text));
        return text;
    }

    /// What each verb asks of its value and of its modifiers.
    void subject_rules() {
        const std::string& verb = check_.verb;
        const std::string& subject = check_.subject;
        if (subject.empty() && verb != "matching" && verb != "kill" && verb_->kind != VerbKind::container) {
            problem(verb + ": no value");
            return;
        }
        if (refers(subject)) return;
        if (verb == "file" && !subject.starts_with('/'))
            problem(fmt::format("file: expected an absolute path, got '{}'", subject));
        if (verb == "port") port_rule("port", subject);
        if (verb == "addr") {
            const std::size_t colon = subject.rfind(':');
            if (colon == std::string::npos || colon == 0 || (subject.front() == '[') != (subject[colon - 1] == ']'))
                problem(fmt::format("addr: expected host:port, got '{}'", subject));
            else
                port_rule("addr", subject.substr(colon + 1));
        }
        if (verb == "http" && !subject.starts_with("http://") && !subject.starts_with("https://"))
            problem(fmt::format("http: expected a URL with http or https, got '{}'", subject));
        if (verb_->kind == VerbKind::protocol) method_rules();
    }

    void port_rule(std::string_view key, const std::string& text) {
        int port = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
        if (error != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535)
            problem(fmt::format("{}: expected a port from 1 to 65535, got '{}'", key, text));
    }

    void method_rules() {
        std::string known;
        for (const MethodRow& row : check_methods()) {
            if (row.verb != check_.verb) continue;
            known += " " + std::string(row.method);
            if (row.method != check_.subject) continue;
            for (const ModifierRow& needed : check_modifiers())
                if (among(row.required, needed.key) && !check_.has(needed.key))
                    problem(fmt::format("{} {} needs the key {}", check_.verb, check_.subject, needed.key));
            return;
        }
        problem(fmt::format("{}: unknown method {}; there are{}", check_.verb, check_.subject, known));
    }

    void relations() {
        const std::string& verb = check_.verb;
        if (check_.has("retry_interval") && !check_.has("eventually")) problem("retry_interval without eventually");
        if (check_.has("in_container") && check_.has("from_host") && check_.text("in_container") == check_.text("from_host"))
            problem("in_container and from_host contradict each other");
        if (check_.has("capture") && !is_identifier(check_.text("capture"))) problem("capture: expected a name");
        if (verb == "port" && check_.has("reachable") && check_.has("listening"))
            problem("port: reachable together with listening");
        if (verb == "dns" && check_.has("server")) problem("dns: server is not supported, the host's resolver is asked");
        if (verb == "matching" && check_.matching("contains").empty()) problem("matching: contains is missing");
        if (verb == "file" && check_.has("sha256") && !refers(check_.text("sha256"))) {
            std::string& digest = check_.texts["sha256"];
            std::ranges::transform(digest, digest.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            if (digest.size() != 64 || digest.find_first_not_of("0123456789abcdef") != std::string::npos)
                problem("sha256: expected 64 hex digits");
        }
        for (const char* rule :
             {"artifact_min_bytes", "artifact_min_dimensions", "artifact_not_uniform", "artifact_min_cast_events"})
            if (check_.has(rule) && !check_.has("artifact")) problem(fmt::format("{} without artifact", rule));
        static const RE2 dimensions("[1-9][0-9]*x[1-9][0-9]*");
        if (check_.has("artifact_min_dimensions") && !RE2::FullMatch(check_.text("artifact_min_dimensions"), dimensions))
            problem("artifact_min_dimensions: expected WIDTHxHEIGHT");
        if (check_.scope != CheckScope::build) return;
        if (verb_->kind == VerbKind::protocol) problem(fmt::format("{} with scope build: it needs a running domain", verb));
        for (const std::string& variable : variables_in(check_))
            if (is_runtime_variable(variable)) problem(fmt::format("scope build knows no ${{{}}}", variable));
    }

    Cursor item_;
    const CheckOwner& owner_;
    std::string name_;
    std::vector<std::string> verbs_;
    const VerbRow* verb_ = nullptr;
    Check check_;
};

}  // namespace

std::vector<Check> decode_checks(const YamlPtr& list, const CheckOwner& owner, std::vector<Diagnostic>& findings) {
    std::vector<Check> checks;
    if (!list) return checks;
    Report report{owner.file, findings};
    const Cursor cursor(list, "eval", report);
    std::set<std::string> ids;
    std::size_t number = 0;
    for (const Cursor& item : cursor.items()) {
        auto check = CheckDecoder(item, ++number, owner).decode();
        if (!check) continue;
        if (!check->id.empty() && !ids.insert(check->id).second)
            item.error(fmt::format("{}, check {}: its id is taken by an earlier check of this list", owner.name, check->id));
        checks.push_back(std::move(*check));
    }
    return checks;
}

}  // namespace ov::spec
