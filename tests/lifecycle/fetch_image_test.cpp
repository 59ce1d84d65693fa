#include "lifecycle/fetch_image.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdlib>
#include <filesystem>

#include "async/process.hpp"
#include "base/sha256.hpp"
#include "support/temp_tree.hpp"

using namespace ov;
using namespace std::chrono_literals;
using ov::test::TempTree;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t image_size = 3U << 20U;

/// The server that breaks, for one test.
class FaultServer {
public:
    explicit FaultServer(Runtime& runtime) : process_(Process::spawn(runtime.io.get_executor(), options())) {
        asio::error_code failure;
        process_.out().non_blocking(false, failure);
        for (char c = 0; process_.out().read_some(asio::buffer(&c, 1), failure) == 1 && c != '\n';) port += c;
    }
    std::string url(const std::string& mode) const { return "http://127.0.0.1:" + port + "/" + mode + "/image.qcow2"; }
    /// Requests for the image itself.
    std::vector<std::string> log() const {
        std::string text = download_text("http://127.0.0.1:" + port + "/log", 1 << 20, {}).value_or("") + "\n";
        std::vector<std::string> lines;
        for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
            const std::string line = text.substr(at, end - at);
            if (const std::size_t blank = line.find(".qcow2 "); blank != std::string::npos)
                lines.push_back(line.substr(blank + 7));
        }
        return lines;
    }
    std::string port;

private:
    static ProcessOptions options() {
        const char* data = std::getenv("OV_TEST_DATA");
        ProcessOptions made;
        made.argv = {"python3", std::string(data != nullptr ? data : "tests") + "/support/fault_server"};
        made.in = Redirect::pipe;
        made.err = Redirect::inherit;
        return made;
    }
    Process process_;
};

struct Bench {
    Runtime runtime{7};
    TempTree tree;
    ImageCache cache{tree.path("cache")};
    FaultServer server{runtime};
    std::vector<std::string> notes;

    FetchOptions options(const std::string& mode) {
        FetchOptions made;
        made.url = server.url(mode);
        made.limits.connect = 2s;
        made.limits.stall = 1s;
        made.tries = 3;
        made.backoff = {10ms, 1.0, 10ms};
        made.note = [this](const std::string& text) { notes.push_back(text); };
        return made;
    }
    std::string fetch(FetchOptions made, Deadline deadline = Deadline::unlimited()) {
        std::string digest;
        std::exception_ptr failure;
        const auto work = [&]() -> asio::awaitable<void> { digest = co_await fetch_image(runtime, cache, made, deadline); };
        asio::co_spawn(runtime.io, work(), [&](std::exception_ptr error) { failure = error; });
        runtime.io.restart();
        runtime.io.run();
        if (failure) std::rethrow_exception(failure);
        return digest;
    }
    std::string error_of(FetchOptions made, Errc code) {
        try {
            fetch(std::move(made));
        } catch (const Error& error) {
            CHECK(error.code() == code);
            return error.what();
        }
        FAIL("no error");
        return {};
    }
    bool has_part(const std::string& mode) const { return fs::exists(cache.part_path(server.url(mode))); }
};

std::string file_digest(const std::string& path) {
    return digest_of_file(path, {});
}

}  // namespace

TEST_CASE("whatever a server does, what ends up in the cache is one version of the image, whole (W8-W10)") {
    struct Row {
        const char *name, *mode;
        std::vector<std::string> requests;  ///< Range, If-Range, status
    };
    const Row rows[] = {
        {"one request", "plain", {"- - 200"}},
        {"cut twice: resumed with the strong ETag", "cut", {"- - 200", "bytes=1048576- \"A\" 206", "bytes=2097152- \"A\" 206"}},
        {"no ETag: resumed with the date",
         "date",
         {"- - 200", "bytes=1048576- Mon, 05 Jan 2026 10:00:00 GMT 206", "bytes=2097152- Mon, 05 Jan 2026 10:00:00 GMT 206"}},
        {"a weak ETag proves nothing: from the start", "weak", {"- - 200", "- - 200"}},
        {"another version meanwhile: the server says 200, from the start", "change", {"- - 200", "bytes=1048576- \"A\" 200"}},
        {"the rest of another version under its own ETag: from the start",
         "liar-etag",
         {"- - 200", "bytes=1048576- \"A\" 206", "- - 200"}},
        {"the rest of another version under the old ETag: the sum finds it",
         "liar",
         {"- - 200", "bytes=1048576- \"A\" 206", "- - 200"}},
        {"no byte for a second: resumed", "stall", {"- - 200", "bytes=1048576- \"A\" 206"}},
        {"503 twice", "flaky", {"- - 503", "- - 503", "- - 200"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Bench bench;
        const std::string digest = bench.fetch(bench.options(row.mode));
        CHECK(bench.server.log() == row.requests);
        const std::string path = bench.cache.image_path(digest);
        CHECK(file_digest(path) == digest);
        CHECK(fs::file_size(path) == image_size);
        struct stat status {};
        REQUIRE(stat(path.c_str(), &status) == 0);
        CHECK((status.st_mode & 0777U) == 0444);
        CHECK_FALSE(bench.has_part(row.mode));
        CHECK_FALSE(fs::exists(bench.cache.part_path(bench.server.url(row.mode)) + ".json"));
    }
}

TEST_CASE("errors of a download name the URL and what happened, and keep only what is of use") {
    struct Row {
        const char *name, *mode;
        Errc code;
        const char* says;
        std::size_t requests;
    };
    const Row rows[] = {
        {"404", "gone", Errc::not_found, "HTTP status 404", 0},
        {"403 is not tried again", "forbidden", Errc::unreachable, "HTTP status 403", 1},
        {"a server that never answers is left after the tries", "dead", Errc::unreachable, "(3 tries", 3},
        {"another sum than the sidecar's: both are named", "bad-sum", Errc::spec_invalid, "expected ", 1},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Bench bench;
        const std::string said = bench.error_of(bench.options(row.mode), row.code);
        CHECK(said.find(bench.server.url(row.mode)) != std::string::npos);
        CHECK(said.find(row.says) != std::string::npos);
        if (row.requests > 0) CHECK(bench.server.log().size() == row.requests);
        CHECK_FALSE(bench.has_part(row.mode));
    }
}

TEST_CASE("what is cached is not fetched again") {
    Bench bench;
    SUBCASE("a published sum that is in the cache: only the sum is asked for") {
        const std::string digest = bench.fetch(bench.options("sum"));
        CHECK(bench.fetch(bench.options("sum")) == digest);
        CHECK(bench.server.log().size() == 1);
    }
    SUBCASE("a sum in the YAML that is in the cache: no network at all") {
        FetchOptions options = bench.options("plain");
        options.expected = bench.fetch(bench.options("plain"));
        options.url = "http://127.0.0.1:1/plain/image.qcow2";
        CHECK(bench.fetch(options) == options.expected);
    }
    SUBCASE("no sum: the version is asked for (304)") {
        const std::string digest = bench.fetch(bench.options("same"));
        CHECK(bench.fetch(bench.options("same")) == digest);
        CHECK(bench.server.log() == std::vector<std::string>{"- - 200", "- - 304"});
        CHECK(bench.notes.front().find("not verified") != std::string::npos);
    }
    SUBCASE("a new version is another file; the old one stays (W8)") {
        const std::string before = bench.fetch(bench.options("plain"));
        FetchOptions changed = bench.options("change");
        const std::string after = bench.fetch(changed);
        CHECK(before != after);
        CHECK(file_digest(bench.cache.image_path(before)) == before);
        CHECK(file_digest(bench.cache.image_path(after)) == after);
    }
}

TEST_CASE("a complete partial file is recognised when the server says 416 (W10)") {
    Bench bench;
    const std::string url = bench.server.url("plain"), part = bench.cache.part_path(url);
    const std::string digest = bench.fetch(bench.options("plain"));
    fs::create_directories(bench.cache.directory());
    fs::copy_file(bench.cache.image_path(digest), part);
    fs::remove(bench.cache.image_path(digest));
    fs::permissions(part, fs::perms(0600));
    std::ofstream(part + ".json") << R"({"etag":"\"A\"","last_modified":""})";
    CHECK(bench.fetch(bench.options("plain")) == digest);
    CHECK(bench.server.log() == std::vector<std::string>{"- - 200", "bytes=3145728- \"A\" 416"});
    CHECK(file_digest(bench.cache.image_path(digest)) == digest);
}

TEST_CASE("a cancelled download keeps its part, and the next run goes on from there (W10, W30)") {
    Bench bench;
    const Deadline deadline = Deadline::unlimited();
    FetchOptions options = bench.options("slow");
    asio::steady_timer timer(bench.runtime.io, 400ms);
    timer.async_wait([deadline](asio::error_code) { deadline.cancel(); });
    const auto start = Deadline::Clock::now();
    CHECK_THROWS_AS(bench.fetch(options, deadline), Error);
    CHECK(Deadline::Clock::now() - start < 2s);
    REQUIRE(bench.has_part("slow"));
    const std::uint64_t had = fs::file_size(bench.cache.part_path(options.url));
    CHECK(had > 0);
    CHECK(had < image_size);
    const std::string digest = bench.fetch(bench.options("slow"));
    CHECK(file_digest(bench.cache.image_path(digest)) == digest);
    CHECK(bench.server.log().back() == "bytes=" + std::to_string(had) + "- \"A\" 206");
}

TEST_CASE("plain http needs a sum, unless it is this machine (W9)") {
    Bench bench;
    FetchOptions options = bench.options("plain");
    options.url = "http://mirror.invalid/image.qcow2";
    CHECK(bench.error_of(options, Errc::usage).find("source.checksum.value") != std::string::npos);
}

TEST_CASE("the digest in a sidecar (vm-lifecycle.md 4.2)") {
    const std::string a(64, 'a'), b(64, 'b'), upper(64, 'A');
    struct Row {
        const char* name;
        std::string text, digest;
    };
    const Row rows[] = {
        {"name", a + "  x.qcow2\n", a},
        {"./name, upper case", upper + "  ./x.qcow2\n", a},
        {"*name", b + " other\n" + a + " *x.qcow2\n", a},
        {"alone", a + "\n", a},
        {"comments and blank lines", "# x\n\n" + a + " x.qcow2", a},
        {"sha256: in front", "sha256:" + a + "\n", a},
        {"a name that only ends the same is another file (W9)", a + "  my-x.qcow2\n", ""},
        {"63 digits", a.substr(1) + "\n", ""},
        {"64 characters that are no digits", std::string(64, 'z') + "\n", ""},
        {"a page", "<html>", ""},
        {"CRLF", a + "  x.qcow2\r\n", a},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(digest_in_sidecar(row.text, "x.qcow2").value_or("") == row.digest);
    }
}
