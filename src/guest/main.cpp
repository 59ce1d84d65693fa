// `ov-guest`: the small static program that runs inside guests.
#include <iostream>
#include <string>
#include <vector>

#include "guest/from_image.hpp"
#include "guest/made_pods.hpp"
#include "ov/error.hpp"
#include "ov_config.hpp"

namespace {

constexpr const char* help = R"(ov-guest: what ov needs inside a machine

  ov-guest version
  ov-guest deploy from-image REF [NAME[/INSTANCE]] [-i INSTANCE] [-e KEY=VALUE]... [-p [ADDRESS:]HOST:CONTAINER]... [--bind ADDRESS]
           [--env-stdin] [--owner DEPLOY] [--dry-run]
  ov-guest deploy list [--owner DEPLOY]
  ov-guest deploy del NAME[/INSTANCE]

from-image starts a pod from the labels of an image that `ov image build` made, under the user's service manager, so that it comes
back after a reboot. --env-stdin reads more variables, each ended by a NUL byte. Ports without an address bind 127.0.0.1 unless --bind or OV_BIND_ADDRESS says otherwise.
Examples:
  ov-guest deploy from-image localhost/ov-notes:latest notes -p 8080:80 --bind 0.0.0.0
  ov-guest deploy from-image localhost/ov-notes:latest notes --dry-run
)";

struct Words {
    std::vector<std::string> plain, env, ports;
    std::string instance, bind, owner;
    bool dry_run = false;
};

/// Variables that must not stand in argv.
void read_variables(std::vector<std::string>& env) {
    for (std::string one; std::getline(std::cin, one, '\0');)
        if (!one.empty()) env.push_back(one);
}

Words parse(const std::vector<std::string>& all) {
    Words words;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string& word = all[i];
        const auto value = [&]() -> const std::string& {
            if (i + 1 == all.size()) throw ov::Error(ov::Errc::usage, word + " needs a value");
            return all[++i];
        };
        if (word == "-i" || word == "--instance")
            words.instance = value();
        else if (word == "-e" || word == "--env")
            words.env.push_back(value());
        else if (word == "-p" || word == "--port")
            words.ports.push_back(value());
        else if (word == "--bind")
            words.bind = value();
        else if (word == "--owner")
            words.owner = value();
        else if (word == "--env-stdin")
            read_variables(words.env);
        else if (word == "--dry-run")
            words.dry_run = true;
        else if (word.starts_with("-"))
            throw ov::Error(ov::Errc::usage, word + " is no flag of ov-guest; see `ov-guest --help`");
        else
            words.plain.push_back(word);
    }
    return words;
}

void split_name(std::string& name, std::string& instance) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) return;
    instance = name.substr(slash + 1);
    name.resize(slash);
}

int run(const std::vector<std::string>& all) {
    if (all.empty() || all[0] == "--help" || all[0] == "-h") {
        std::cout << help;
        return all.empty() ? 1 : 0;
    }
    if (all[0] == "version") {
        std::cout << OV_VERSION << '\n';
        return 0;
    }
    if (all.size() < 2 || all[0] != "deploy") throw ov::Error(ov::Errc::usage, all[0] + " is no verb; see `ov-guest --help`");
    Words words = parse({all.begin() + 2, all.end()});
    std::string name;
    if (all[1] == "from-image" && !words.plain.empty() && words.plain.size() <= 2) {
        if (words.plain.size() == 2) name = words.plain[1];
        split_name(name, words.instance);
        const char* address = std::getenv("OV_BIND_ADDRESS");
        if (words.bind.empty()) words.bind = address != nullptr && *address != '\0' ? address : "127.0.0.1";
        ov::guest::deploy_from_image({words.plain[0], name, words.instance, words.bind, words.env, words.ports, words.owner},
                                     words.dry_run, std::cout);
        return 0;
    }
    if (all[1] == "list" && words.plain.empty()) {
        ov::guest::list_pods(words.owner, std::cout);
        return 0;
    }
    if (all[1] == "del" && words.plain.size() == 1) {
        name = words.plain[0];
        split_name(name, words.instance);
        ov::guest::delete_pod(name, words.instance, std::cout, std::cerr);
        return 0;
    }
    throw ov::Error(ov::Errc::usage, "expected `deploy from-image REF [NAME]` or `deploy del NAME`; see `ov-guest --help`");
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << "ov-guest: error: " << error.what() << '\n';
        return 1;
    }
}
