// A stand-in for the runner on a machine: runs step scripts with real bash in a temporary directory and keeps the journal.
#pragma once

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/sha256.hpp"
#include "base/shell_quote.hpp"
#include "ov/install_plan.hpp"
#include "plan/guest_library.hpp"
#include "plan/undo_script.hpp"

namespace ov::test {

inline std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void spill(const std::filesystem::path& path, std::string_view text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

class GuestShell {
public:
    GuestShell() {
        std::string name = (std::filesystem::temp_directory_path() / "ov-guest.XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
        root_ = name;
        for (const char* dir : {"home", "run", "ledger/backup", "bin"}) std::filesystem::create_directories(root_ / dir);
    }
    ~GuestShell() {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }
    GuestShell(const GuestShell&) = delete;

    struct Result {
        int status;
        std::string out;  ///< both streams
    };

    const std::filesystem::path& root() const { return root_; }
    std::filesystem::path home() const { return root_ / "home"; }
    std::filesystem::path bin() const { return root_ / "bin"; }  ///< first on PATH: fakes go here

    /// Runs a script as one recorded step. `before` runs in the runner, ahead of the step.
    Result run(const std::string& script, GuestParts parts, const std::string& before = {}) {
        const std::string journal = (root_ / "ledger/journal.jsonl").string();
        const std::string text = "umask 022\n" + guest_library(parts) + "export HOME=" + shell_quote(home().string()) +
                                 " PATH=" + shell_quote(bin().string()) + ":$PATH\nov_journal=" + shell_quote(journal) +
                                 "\nov_backup=" + shell_quote((root_ / "ledger/backup").string()) +
                                 "\nov_run=" + shell_quote((root_ / "run").string()) + "\nov_record='\"v\":1,\"step\":1'\n" +
                                 before + "\nov_step=" + shell_quote(script) +
                                 "\n( eval \"$ov_step\" ) </dev/null\nstatus=$?\nov_journal_result $status ok\nexit $status\n";
        const std::filesystem::path file = root_ / "run/.script";
        spill(file, text);
        std::FILE* pipe = ::popen(("exec bash --noprofile --norc " + shell_quote(file.string()) + " 2>&1").c_str(), "r");
        Result result{0, {}};
        std::array<char, 4096> buffer;
        while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) result.out.append(buffer.data(), n);
        const int status = ::pclose(pipe);
        result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
        return result;
    }

    std::vector<nlohmann::json> journal() const {
        std::vector<nlohmann::json> lines;
        std::ifstream in(root_ / "ledger/journal.jsonl");
        for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
        return lines;
    }

    std::vector<ReverseOp> ops() const {
        std::vector<ReverseOp> all;
        for (const auto& line : journal()) {
            if (line.at("state") != "undo") continue;
            const auto& json = line.at("op");
            ReverseOp op{
                json.at("kind"), json.value("format", ""), json.at("targets"), static_cast<Scope>(json.value("scope", 0)), {}};
            if (json.contains("extra")) op.extra = json.at("extra").get<std::map<std::string, std::string>>();
            all.push_back(std::move(op));
        }
        return all;
    }

    /// Undoes everything in the journal, last first, in the three passes.
    Result undo() {
        const std::vector<ReverseOp> all = ops();
        std::filesystem::remove(root_ / "ledger/journal.jsonl");
        Result last{0, {}};
        for (int pass = 1; pass <= 3; ++pass)
            for (auto op = all.rbegin(); op != all.rend(); ++op) {
                const UndoScript script = render_undo(*op, home().string());
                if (script.pass != pass || script.text.empty()) continue;
                const Result result = run(script.text, script.library, "ov_record=");
                last.out += result.out;
                if (result.status != 0) last.status = result.status;
            }
        std::filesystem::remove(root_ / "ledger/journal.jsonl");
        return last;
    }

    /// Path (below home), type, mode, owner and digest or link target of everything in the home.
    std::map<std::string, std::string> manifest() const {
        std::map<std::string, std::string> all;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(home())) {
            struct stat info {};
            ::lstat(entry.path().c_str(), &info);
            std::string line = std::to_string(info.st_mode) + " " + std::to_string(info.st_uid) + " ";
            if (entry.is_symlink())
                line += std::filesystem::read_symlink(entry.path()).string();
            else if (entry.is_regular_file())
                line += sha256_hex(slurp(entry.path()));
            all[entry.path().lexically_relative(home()).string()] = line;
        }
        return all;
    }

private:
    std::filesystem::path root_;
};

}  // namespace ov::test
