#include "cli/remote_host.hpp"

#include "base/shell_quote.hpp"

namespace ov::cli {

std::string remote_command(const std::vector<std::string>& arguments, const std::vector<std::string>& remote_words) {
    std::string command = "ov";
    const auto add = [&command](const std::string& word) { command += " " + shell_quote(word); };
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--") {
            for (; i < arguments.size(); ++i) add(arguments[i]);
            break;
        }
        if (word == "--host" || word == "--dir" || word == "-C")
            ++i;  // and its value
        else if (!word.starts_with("--host=") && !word.starts_with("--dir=") && !word.starts_with("-C"))
            add(word);
    }
    for (const std::string& word : remote_words) add(word);
    return command;
}

std::vector<std::string> ssh_words(const std::string& destination, bool terminal, const std::string& command) {
    std::vector<std::string> words{"ssh"};
    if (terminal) words.emplace_back("-tt");
    std::string host = destination;
    const std::size_t colon = host.rfind(':');
    // A port is digits behind the only colon, or behind the bracket of an IPv6 address.
    const bool alone = colon != std::string::npos && (host.find(':') == colon || host[colon - (colon > 0)] == ']');
    if (alone && colon + 1 < host.size() && host.find_first_not_of("0123456789", colon + 1) == std::string::npos) {
        words.insert(words.end(), {"-p", host.substr(colon + 1)});
        host.resize(colon);
    }
    const std::size_t bracket = host.find('[');
    if (bracket != std::string::npos && host.ends_with(']')) {
        host.pop_back();
        host.erase(bracket, 1);
    }
    words.insert(words.end(), {"--", host, command});
    return words;
}

}  // namespace ov::cli
