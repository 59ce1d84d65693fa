// A local repository that stands in for one on a forge: git's insteadOf sends https://github.com/ to a directory.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "support/temp_tree.hpp"

namespace ov::test {

/// True when git can be run; the reason to skip otherwise.
inline bool has_git() {
    return std::system("git --version >/dev/null 2>&1") == 0;
}

class Forge {
public:
    Forge() {
        tree_.write(
            "gitconfig",
            "[url \"file://" + tree_.path() +
                "/remote/\"]\n\tinsteadOf = https://github.com/\n"
                "[user]\n\tname = t\n\temail = t@example.net\n[init]\n\tdefaultBranch = main\n[tag]\n\tgpgSign = false\n");
        setenv("GIT_CONFIG_GLOBAL", tree_.path("gitconfig").c_str(), 1);
        setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    }
    ~Forge() {
        unsetenv("GIT_CONFIG_GLOBAL");
        unsetenv("GIT_CONFIG_NOSYSTEM");
    }
    Forge(const Forge&) = delete;
    Forge& operator=(const Forge&) = delete;

    /// Commits files to `repository` ("acme/infra") and, if a tag is given, sets it, moving it when it exists.
    void commit(const std::string& repository, TempTree::Files files, const std::string& tag = "", bool annotated = false) const {
        const std::string work = tree_.path("work/" + repository);
        if (!std::filesystem::exists(work)) {
            run("git init -q '" + work + "'");
            std::filesystem::create_directories(std::filesystem::path(tree_.path("remote/" + repository)).parent_path());
            run("git init -q --bare '" + tree_.path("remote/" + repository + ".git") + "'");
        }
        for (const auto& [file, content] : files) tree_.write("work/" + repository + "/" + file, content);
        const std::string in = "git -C '" + work + "' ";
        run(in + "add -A && " + in + "commit -q --allow-empty -m x");
        if (!tag.empty()) run(in + "tag -f " + (annotated ? "-a -m x " : "") + tag + " >/dev/null");
        run(in + "push -q --force --tags '" + tree_.path("remote/" + repository + ".git") + "' HEAD:main");
    }
    /// The server is gone: every fetch fails from now on.
    void disconnect() const { std::filesystem::rename(tree_.path("remote"), tree_.path("gone")); }
    void reconnect() const { std::filesystem::rename(tree_.path("gone"), tree_.path("remote")); }
    std::string cache() const { return tree_.path("cache"); }
    const TempTree& tree() const noexcept { return tree_; }

private:
    static void run(const std::string& command) {
        if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
    }

    TempTree tree_;
};

}  // namespace ov::test
