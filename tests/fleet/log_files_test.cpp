#include "fleet/log_files.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <sstream>

using namespace ov;

namespace {

struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string text = (std::filesystem::temp_directory_path() / "ov-log.XXXXXX").string();
        REQUIRE(mkdtemp(text.data()));
        path = text;
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

std::string content(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

DeployEvent of(std::string vm, EventBody body) {
    return {1, {}, "r", std::move(vm), std::move(body)};
}

}  // namespace

TEST_CASE("decision 62: log file names are sanitised keys, and different keys never share one") {
    CHECK(log_file_name("web").starts_with("web-"));
    CHECK(log_file_name("web/1").starts_with("web_1-"));
    CHECK(log_file_name("web/1") != log_file_name("web_1"));
    CHECK(log_file_name("../../etc/passwd").find('/') == std::string::npos);
    CHECK(log_file_name("vm:db").size() == std::string("vm_db-").size() + 6 + 4);
}

TEST_CASE("a log holds the output verbatim with a line per phase and step in between") {
    const Folder folder;
    LogFiles logs(folder.path / "deep" / "er");
    logs.on_event(of("a", event::PhaseStarted{WorkPhase::steps}));
    logs.on_event(of("a", event::StepStarted{"l", 1, 2, "Task", "task 1: cmd"}));
    logs.on_event(of("a", event::Output{"out", false}));
    logs.on_event(of("a", event::Output{"put", false}));
    logs.on_event(of("a", event::StepFinished{"l", 1, 2, StepState::ok, 0, 0.25, ""}));
    logs.on_event(of("b", event::Note{Severity::note, "hello"}));
    logs.on_event(of("a", event::VmFinished{Outcome::ok, WorkPhase::state, "", 0, 1, "", {}}));
    CHECK(content(logs.path_of("a")) ==
          "[1970-01-01T00:00:00.000Z] phase steps\n"
          "[1970-01-01T00:00:00.000Z] layer l step 1/2 Task: task 1: cmd\n"
          "output\n"
          "[1970-01-01T00:00:00.000Z] layer l step 1/2 ok, status 0, 0.2 s\n"
          "[1970-01-01T00:00:00.000Z] ok after 1.0 s\n");
    CHECK(content(logs.path_of("b")) == "[1970-01-01T00:00:00.000Z] hello\n");
    CHECK(logs.problem().empty());
}

TEST_CASE("a log that cannot be written is remembered, not thrown") {
    const Folder folder;
    LogFiles logs(folder.path);
    std::filesystem::create_directory(logs.path_of("a"));
    logs.on_event(of("a", event::Note{Severity::note, "hello"}));
    CHECK(logs.problem() == "cannot write " + logs.path_of("a"));
}
