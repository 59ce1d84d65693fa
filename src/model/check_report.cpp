#include <fmt/format.h>

#include <array>

#include "ov/check.hpp"

namespace ov {
namespace {

/// On one line: line breaks become the two characters `\n`.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n')
            out += "\\n";
        else if (c != '\r')
            out += c;
    }
    return out;
}

std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out += '\\', out += c;
        else if (c == '\n')
            out += "\\n";
        else if (c == '\t')
            out += "\\t";
        else if (byte < 0x20 || byte == 0x7f)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
        else
            out += c;
    }
    return out + '"';
}

/// Characters that XML 1.0 does not have become U+FFFD.
std::string xml_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\n':
                out += "&#10;";
                break;
            case '\t':
                out += "&#9;";
                break;
            default:
                if (byte < 0x20)
                    out += "\xEF\xBF\xBD";
                else
                    out += c;
        }
    }
    return out;
}

double seconds(std::chrono::nanoseconds value) {
    return std::chrono::duration<double>(value).count();
}

std::array<int, 3> counts(std::span<const CheckResult> results) {
    std::array<int, 3> count{};
    for (const CheckResult& result : results) ++count[static_cast<std::size_t>(result.status)];
    return count;
}

std::string as_text(std::span<const CheckSuite> suites, bool single) {
    std::string text;
    for (const CheckSuite& suite : suites) {
        if (!single) text += fmt::format("{}== {}\n", text.empty() ? "" : "\n", suite.name);
        for (const CheckResult& result : suite.results) {
            text += check_line(result) + "\n";
            if (result.status == CheckStatus::fail && !result.origin.empty()) text += "  from " + result.origin + "\n";
        }
        if (!suite.problem.empty() && !single) text += "✗ " + one_line(suite.problem) + "\n";
        const auto count = counts(suite.results);
        text += fmt::format("{} passed · {} failed · {} skipped\n", count[0], count[1], count[2]);
    }
    return text;
}

/// The objects of one machine, indented by `blanks`.
std::string json_results(std::span<const CheckResult> results, std::string_view blanks) {
    std::string text;
    for (const CheckResult& result : results) {
        text += fmt::format("{0}  {{\n{0}    \"verb\": {1},\n{0}    \"status\": \"{2}\"", blanks, json_text(result.verb),
                            to_string(result.status));
        const auto member = [&](std::string_view key, const std::string& value) {
            if (!value.empty()) text += fmt::format(",\n{}    \"{}\": {}", blanks, key, json_text(value));
        };
        member("origin", result.origin);
        member("subject", result.subject);
        member("message", result.message);
        member("id", result.id);
        text += fmt::format(",\n{0}    \"attempts\": {1},\n{0}    \"elapsed_ms\": {2}\n{0}  }}{3}\n", blanks, result.attempts,
                            std::chrono::round<std::chrono::milliseconds>(result.elapsed).count(),
                            &result == &results.back() ? "" : ",");
    }
    return results.empty() ? "[]" : "[\n" + text + std::string(blanks) + "]";
}

std::string as_json(std::span<const CheckSuite> suites, bool single) {
    if (single) return json_results(suites.front().results, "") + "\n";
    std::string text = "{\n  \"schema\": 1,\n  \"vms\": [\n";
    for (const CheckSuite& suite : suites)
        text += fmt::format("    {{\n      \"vm\": {},\n      \"problem\": {},\n      \"checks\": {}\n    }}{}\n",
                            json_text(suite.name), json_text(suite.problem), json_results(suite.results, "      "),
                            &suite == &suites.back() ? "" : ",");
    return text + "  ]\n}\n";
}

std::string tap_words(std::string_view text) {
    std::string out;
    for (const char c : one_line(text)) {
        if (c == '#') out += '\\';
        out += c;
    }
    return out;
}

std::string as_tap(std::span<const CheckSuite> suites, bool single) {
    std::size_t number = 0;
    std::string text;
    for (const CheckSuite& suite : suites) {
        const std::string prefix = single ? std::string() : tap_words(suite.name) + ": ";
        for (const CheckResult& result : suite.results)
            text += fmt::format("{} {} - {}{} {} - {}{}\n", result.status == CheckStatus::fail ? "not ok" : "ok", ++number,
                                prefix, result.verb, tap_words(result.subject), tap_words(result.message),
                                result.status == CheckStatus::skip ? " # SKIP " + tap_words(result.message) : std::string());
        if (!suite.problem.empty() && !single)
            text += fmt::format("not ok {} - {}{}\n", ++number, prefix, tap_words(suite.problem));
    }
    return fmt::format("TAP version 13\n1..{}\n{}", number, text);
}

std::string junit_suite(const CheckSuite& suite) {
    const auto count = counts(suite.results);
    double total = 0;
    for (const CheckResult& result : suite.results) total += seconds(result.elapsed);
    const int errors = suite.problem.empty() ? 0 : 1;
    std::string text = fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\">\n",
        xml_text(suite.name), suite.results.size() + static_cast<std::size_t>(errors), count[1], errors, count[2], total);
    for (const CheckResult& result : suite.results) {
        const std::string name = result.id.empty() ? result.verb + " " + result.subject : result.id;
        text += fmt::format("    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3f}\"", xml_text(name),
                            xml_text(result.origin.empty() ? suite.name : result.origin), seconds(result.elapsed));
        if (result.status == CheckStatus::pass)
            text += "/>\n";
        else if (result.status == CheckStatus::skip)
            text += fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", xml_text(result.message));
        else
            text += fmt::format(">\n      <failure message=\"{0}\" type=\"{1}\">{0}</failure>\n    </testcase>\n",
                                xml_text(result.message), xml_text(result.verb));
    }
    if (errors != 0)
        text += fmt::format(
            "    <testcase name=\"reaching the machine\" classname=\"{}\" time=\"0.000\">\n"
            "      <error message=\"{}\"/>\n    </testcase>\n",
            xml_text(suite.name), xml_text(suite.problem));
    return text + "  </testsuite>\n";
}

std::string as_junit(std::span<const CheckSuite> suites) {
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    for (const CheckSuite& suite : suites) text += junit_suite(suite);
    return text + "</testsuites>\n";
}

}  // namespace

std::string_view to_string(CheckStatus status) noexcept {
    return status == CheckStatus::pass ? "pass" : status == CheckStatus::fail ? "fail" : "skip";
}

std::string check_line(const CheckResult& result) {
    const char* glyph = result.status == CheckStatus::pass ? "✓" : result.status == CheckStatus::fail ? "✗" : "⚠";
    return fmt::format("{} {} {} — {}", glyph, result.verb, one_line(result.subject), one_line(result.message));
}

std::string format_checks(std::span<const CheckSuite> suites, CheckFormat format, bool single) {
    switch (format) {
        case CheckFormat::json:
            return as_json(suites, single);
        case CheckFormat::tap:
            return as_tap(suites, single);
        case CheckFormat::junit:
            return as_junit(suites);
        case CheckFormat::text:
            break;
    }
    return as_text(suites, single);
}

}  // namespace ov
