#include "plan/text_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/shell_quote.hpp"
#include "model/yaml_writer.hpp"
#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// "BasePackages" -> "base_packages", "SSHUser" -> "ssh_user".
std::string snake_case(std::string_view name) {
    const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    std::string key;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool begins = upper(name[i]) && i > 0 && (!upper(name[i - 1]) || (i + 1 < name.size() && !upper(name[i + 1])));
        if (begins) key += '_';
        key += upper(name[i]) ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
    }
    return key;
}

YamlPtr field(const YamlPtr& of, std::string_view name) {
    if (YamlPtr exact = yaml_entry(of, name)) return exact;
    std::string key = snake_case(name);
    if (YamlPtr snake = yaml_entry(of, key)) return snake;
    if (key.ends_with('s')) key.pop_back();
    YamlPtr singular = yaml_entry(of, key);
    return singular ? singular : std::make_shared<YamlNode>();
}

bool is_true(const YamlNode& value) {
    if (value.is_scalar()) return !value.text.empty() && !(value.plain && (value.text == "false" || value.text == "0"));
    return !value.items.empty() || !value.entries.empty();
}

/// One piece of a template: text, or what stands between the braces.
struct Piece {
    bool action = false;
    std::string_view text;
    std::size_t line = 1;
};

class Template {
public:
    Template(std::string_view name, std::string_view text) : name_(name) { split(text); }

    std::string fill(const YamlPtr& data) {
        root_ = data;
        std::string out;
        std::size_t at = 0;
        const std::string_view stopped = block(at, data, true, out);
        if (!stopped.empty()) fail(pieces_[at], fmt::format("{{{{{}}}}} without an if or range", stopped));
        return out;
    }

private:
    [[noreturn]] void fail(const Piece& piece, const std::string& why) const {
        throw Error(Errc::spec_invalid, fmt::format("{}: line {}: {}", name_, piece.line, why));
    }

    void split(std::string_view text) {
        std::size_t at = 0, line = 1;
        bool trim_next = false;
        while (at < text.size()) {
            const std::size_t open = text.find("{{", at);
            std::string_view plain = text.substr(at, open == std::string_view::npos ? open : open - at);
            const std::size_t next_line = line + static_cast<std::size_t>(std::count(plain.begin(), plain.end(), '\n'));
            if (trim_next) plain.remove_prefix(std::min(plain.find_first_not_of(blanks), plain.size()));
            const bool trim_this = open != std::string_view::npos && text.substr(open + 2, 2) == "- ";
            if (trim_this) plain = plain.substr(0, plain.find_last_not_of(blanks) + 1);
            pieces_.push_back({false, plain, line});
            line = next_line;
            if (open == std::string_view::npos) return;
            const std::size_t close = text.find("}}", open);
            if (close == std::string_view::npos) fail({true, {}, line}, "{{ without }}");
            std::string_view inside = text.substr(open + 2, close - open - 2);
            line += static_cast<std::size_t>(std::count(inside.begin(), inside.end(), '\n'));
            if (trim_this) inside.remove_prefix(1);
            trim_next = inside.ends_with(" -");
            if (trim_next) inside.remove_suffix(1);
            pieces_.push_back({true, trimmed(inside), line});
            at = close + 2;
        }
    }

    /// Fills until an `else` or `end` that is not its own, which is the result. Without `live` nothing is written or looked up.
    std::string_view block(std::size_t& at, const YamlPtr& dot, bool live, std::string& out) {
        for (; at < pieces_.size(); ++at) {
            const Piece& piece = pieces_[at];
            if (!piece.action) {
                if (live) out += piece.text;
                continue;
            }
            const std::string_view word = piece.text.substr(0, piece.text.find_first_of(blanks));
            const std::string_view rest = trimmed(piece.text.substr(word.size()));
            if (word == "end" || word == "else") return piece.text;
            if (word == "if")
                branch(at, rest, dot, live, out);
            else if (word == "range")
                repeat(at, rest, dot, live, out);
            else if (live && !piece.text.starts_with("/*"))
                out += text_of(piece, value_of(piece, piece.text, dot));
        }
        return {};
    }

    void branch(std::size_t& at, std::string_view condition, const YamlPtr& dot, bool live, std::string& out) {
        const Piece& opened = pieces_[at];
        bool taken = live && is_true(*value_of(opened, condition, dot)), any = taken;
        while (true) {
            ++at;
            const std::string_view stopped = block(at, dot, taken, out);
            if (stopped == "end") return;
            if (stopped.empty()) fail(opened, fmt::format("{{{{if {}}}}} without {{{{end}}}}", condition));
            const std::string_view next = trimmed(stopped.substr(4));  // after "else"
            if (!next.empty() && !next.starts_with("if "))
                fail(pieces_[at], fmt::format("{{{{{}}}}}: expected else or else if", stopped));
            taken = live && !any && (next.empty() || is_true(*value_of(pieces_[at], trimmed(next.substr(3)), dot)));
            any = any || taken;
        }
    }

    void repeat(std::size_t& at, std::string_view list, const YamlPtr& dot, bool live, std::string& out) {
        const Piece& opened = pieces_[at];
        const YamlPtr value = live ? value_of(opened, list, dot) : std::make_shared<YamlNode>();
        const std::size_t body = at + 1;
        std::string_view stopped;
        if (!value->is_sequence() || value->items.empty()) stopped = block(at = body, dot, false, out);
        if (value->is_sequence())
            for (const YamlPtr& item : value->items) stopped = block(at = body, item, true, out);
        if (stopped != "end") fail(opened, fmt::format("{{{{range {}}}}} without {{{{end}}}}", list));
    }

    std::string text_of(const Piece& piece, const YamlPtr& value) const {
        if (value->is_sequence() || value->is_map())
            fail(piece, fmt::format("{{{{{}}}}} is a {}, not text", piece.text, kind_name(*value)));
        return value->text;
    }

    /// An operand, or a function with its operands.
    YamlPtr value_of(const Piece& piece, std::string_view expression, const YamlPtr& dot) const {
        std::vector<YamlPtr> values;
        std::string function;
        std::string_view rest = trimmed(expression);
        if (rest.empty()) fail(piece, "an empty action");
        while (!rest.empty()) {
            const std::size_t length = operand_length(piece, rest);
            const std::string_view operand = rest.substr(0, length);
            rest = trimmed(rest.substr(length));
            const bool letter = (operand[0] >= 'a' && operand[0] <= 'z') || operand[0] == '_';
            if (letter && values.empty() && function.empty())
                function = operand;
            else
                values.push_back(operand_value(piece, operand, dot));
        }
        if (!function.empty()) return call(piece, function, values);
        if (values.size() != 1) fail(piece, fmt::format("{{{{{}}}}}: one value or a function is expected", piece.text));
        return values.front();
    }

    std::size_t operand_length(const Piece& piece, std::string_view text) const {
        if (text[0] == '"') {
            std::size_t at = 1;
            while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
            if (at < text.size()) return at + 1;
        } else if (text[0] == '(') {
            int depth = 0;
            for (std::size_t at = 0; at < text.size(); ++at) {
                if (text[at] == '"') at += operand_length(piece, text.substr(at)) - 1;
                depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
                if (depth == 0) return at + 1;
            }
        } else if (text[0] == ')') {
            fail(piece, fmt::format("{{{{{}}}}}: a ) too much at character {}", piece.text, text.data() - piece.text.data() + 1));
        } else {
            return std::min(text.find_first_of(" \t\r\n()\""), text.size());
        }
        fail(piece, fmt::format("{{{{{}}}}}: an unclosed {}", piece.text, text[0]));
    }

    YamlPtr operand_value(const Piece& piece, std::string_view operand, const YamlPtr& dot) const {
        if (operand[0] == '(') return value_of(piece, operand.substr(1, operand.size() - 2), dot);
        if (operand[0] == '"') return yaml_text(unescaped(operand.substr(1, operand.size() - 2)));
        if (operand.find_first_not_of("0123456789") == std::string_view::npos) return yaml_text(std::string(operand));
        YamlPtr value = operand[0] == '$' ? root_ : dot;
        if (operand[0] == '$') operand.remove_prefix(1);
        if (operand.empty()) return value;
        if (operand[0] != '.') fail(piece, fmt::format("{{{{{}}}}}: {} is not supported here", piece.text, operand));
        while (operand.size() > 1) {
            operand.remove_prefix(1);
            const std::string_view name = operand.substr(0, operand.find('.'));
            value = field(value, name);
            operand.remove_prefix(name.size());
        }
        return value;
    }

    static std::string unescaped(std::string_view text) {
        std::string plain;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\\' && i + 1 < text.size()) {
                ++i;
                plain += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
            } else {
                plain += text[i];
            }
        }
        return plain;
    }

    YamlPtr call(const Piece& piece, const std::string& name, const std::vector<YamlPtr>& values) const {
        const auto need = [&](std::size_t count) {
            if (values.size() != count)
                fail(piece, fmt::format("{}: {} values are expected, not {}", name, count, values.size()));
        };
        const auto text = [&](std::size_t i) { return text_of(piece, values[i]); };
        if (name == "join") {
            need(2);
            std::string joined;
            if (values[0]->is_scalar()) joined = values[0]->text;
            for (const YamlPtr& item : values[0]->items) joined += (joined.empty() ? "" : text(1)) + text_of(piece, item);
            return yaml_text(joined);
        }
        if (name == "replace") {
            need(3);
            std::string result = text(0);
            const std::string from = text(1), to = text(2);
            for (std::size_t at = 0; !from.empty() && (at = result.find(from, at)) != std::string::npos; at += to.size())
                result.replace(at, from.size(), to);
            return yaml_text(result);
        }
        if (name == "printf") {
            if (values.empty()) fail(piece, "printf: a format is expected");
            std::string result;
            const std::string format = text(0);
            std::size_t next = 1;
            for (std::size_t i = 0; i < format.size(); ++i) {
                if (format[i] != '%') {
                    result += format[i];
                } else if (format.substr(i, 2) == "%%") {
                    result += format[i++];
                } else {
                    if (format.substr(i, 2) != "%s" || next >= values.size())
                        fail(piece, fmt::format("printf \"{}\": only %s, with a value each", format));
                    result += text(next++);
                    ++i;
                }
            }
            return yaml_text(result);
        }
        if (name == "quote") return need(1), yaml_text(shell_quote(text(0)));
        if (name == "not") return need(1), yaml_boolean(!is_true(*values[0]));
        if (name == "eq") return need(2), yaml_boolean(text(0) == text(1));
        if (name == "default") return need(2), is_true(*values[0]) ? values[0] : values[1];
        if (name == "or" || name == "and") {
            if (values.empty()) need(1);
            const bool stop_at = name == "or";
            for (const YamlPtr& value : values)
                if (is_true(*value) == stop_at) return value;
            return values.back();
        }
        fail(piece, fmt::format("{{{{{}}}}}: no function {}; there are and, default, eq, join, not, or, printf, quote, replace",
                                piece.text, name));
    }

    std::string_view name_;
    std::vector<Piece> pieces_;
    YamlPtr root_;
};

}  // namespace

std::string fill_template(std::string_view name, std::string_view text, const YamlPtr& data) {
    return Template(name, text).fill(data);
}

}  // namespace ov
