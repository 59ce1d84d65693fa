// Images between two real podman storages on this machine: what travels, and what the other storage holds afterwards.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "exec/local_launcher.hpp"
#include "exec/runner_executor.hpp"
#include "ov/image.hpp"
#include "support/engine.hpp"
#include "support/temp_tree.hpp"

using ov::Deadline;
using ov::test::TempTree;

namespace {

bool have_podman() {
    if (geteuid() != 0 || std::system("command -v podman >/dev/null") != 0) {
        MESSAGE("SKIPPED: needs root and podman");
        return false;
    }
    // podman unpacks layers in a root of its own, which it cannot make where / is no mount, as in a plain chroot.
    static const bool unpacks = std::system("unshare --mount --propagation private true 2>/dev/null") == 0;
    if (!unpacks) MESSAGE("SKIPPED: podman cannot unpack layers here: / is not a mount point (bind it to itself)");
    return unpacks;
}

/// A machine whose podman has another storage than this process's.
class OtherStorage final : public ov::Executor {
public:
    OtherStorage(ov::Runtime& runtime, std::string configuration)
        : inner_(ov::make_local_launcher(runtime.io.get_executor()), runtime), configuration_(std::move(configuration)) {}
    std::string venue() const override { return "other"; }
    asio::awaitable<ov::CommandResult> run(ov::Command command, Deadline deadline, ov::OutputSink sink) override {
        command.script = prefix() + command.script;
        return inner_.run(std::move(command), std::move(deadline), std::move(sink));
    }
    asio::awaitable<void> put(std::unique_ptr<ov::ByteSource> source, ov::PutTarget target, Deadline deadline) override {
        return inner_.put(std::move(source), std::move(target), std::move(deadline));
    }
    asio::awaitable<void> get(std::string path, ov::RunAs as, std::function<void(std::string_view)> sink,
                              Deadline deadline) override {
        return inner_.get(std::move(path), as, std::move(sink), std::move(deadline));
    }
    asio::awaitable<ov::CommandResult> feed(ov::Command command, std::unique_ptr<ov::ByteSource> input,
                                            Deadline deadline) override {
        command.script = prefix() + command.script;
        return inner_.feed(std::move(command), std::move(input), std::move(deadline));
    }
    asio::awaitable<void> close(Deadline deadline) override { return inner_.close(std::move(deadline)); }

private:
    std::string prefix() const {
        return "export CONTAINERS_STORAGE_CONF=" + configuration_ + " TMPDIR=" + configuration_ +
               ".spool PATH=" + configuration_ + ".bin:\"$PATH\"\n";
    }
    ov::RunnerExecutor inner_;
    std::string configuration_;
};

class Storages {
public:
    Storages() {
        for (const char* name : {"host", "guest"}) {
            tree_.write(std::string(name) + ".conf",
                        fmt::format("[storage]\ndriver = \"overlay\"\ngraphroot = \"{0}/{1}\"\nrunroot = \"{0}/{1}.run\"\n",
                                    tree_.path(), name));
            std::filesystem::create_directory(tree_.path(std::string(name) + ".conf.spool"));
        }
        setenv("CONTAINERS_STORAGE_CONF", tree_.path("host.conf").c_str(), 1);
        setenv("TMPDIR", tree_.path("host.conf.spool").c_str(), 1);
    }
    ~Storages() {
        for (const char* name : {"host", "guest"})
            sh(fmt::format("umount -R {}/{}/overlay 2>/dev/null; true", tree_.path(), name));
        unsetenv("CONTAINERS_STORAGE_CONF");
        unsetenv("TMPDIR");
    }
    Storages(const Storages&) = delete;
    Storages& operator=(const Storages&) = delete;

    /// An image of `layers` layers; `version` is the content of the last one.
    void build(const std::string& ref, int layers, const std::string& version) const {
        std::string recipe = "FROM scratch\n";
        for (int i = 0; i < layers; ++i) {
            const std::string file = "f" + std::to_string(i);
            if (!std::filesystem::exists(tree_.path("context/" + file))) tree_.write("context/" + file, "");
            recipe += "COPY " + file + " /" + file + "\n";
            sh(fmt::format("test -s {0}/context/{1} || head -c 300000 /dev/urandom > {0}/context/{1}", tree_.path(), file));
        }
        tree_.write("context/last", version);
        tree_.write("context/Containerfile", recipe + "COPY last /last\n");
        REQUIRE(sh(fmt::format("podman build -q -t {} {}/context >/dev/null", ref, tree_.path())) == 0);
    }
    int in_guest(const std::string& command) const {
        return sh(
            fmt::format("CONTAINERS_STORAGE_CONF={}/guest.conf; export CONTAINERS_STORAGE_CONF; {}", tree_.path(), command));
    }
    /// Of the machine and of this host.
    bool spool_empty() const {
        for (const char* name : {"guest.conf.spool", "host.conf.spool"})
            for (const auto& entry : std::filesystem::directory_iterator(tree_.path(name)))
                if (entry.is_directory()) return false;
        return true;
    }
    std::string guest() const { return tree_.path("guest.conf"); }
    const TempTree& tree() const { return tree_; }

private:
    static int sh(const std::string& command) { return std::system(command.c_str()); }
    TempTree tree_;
};

struct Sent {
    ov::CopyImageResult result;
    std::string problem;
};

/// The export, cut after so many bytes.
class CutSource final : public ov::ByteSource {
public:
    CutSource(std::unique_ptr<ov::ByteSource> inner, std::uint64_t left) : inner_(std::move(inner)), left_(left) {}
    asio::awaitable<std::string> next(Deadline deadline) override {
        std::string chunk = co_await inner_->next(deadline);
        if (chunk.size() > left_) throw ov::Error(ov::Errc::io, "cut here");
        left_ -= chunk.size();
        co_return chunk;
    }

private:
    std::unique_ptr<ov::ByteSource> inner_;
    std::uint64_t left_;
};

Sent send(const Storages& storages, const std::string& ref, ov::CopyImageOptions options = {},
          std::uint64_t cut_at = std::numeric_limits<std::uint64_t>::max()) {
    Sent sent;
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        OtherStorage machine(runtime, storages.guest());
        const Deadline deadline = Deadline::unlimited().child(std::chrono::minutes(3));
        const ov::EmitEvent nowhere = [](ov::EventBody) {};
        const auto executor = runtime.io.get_executor();
        try {
            const ov::HostImage image = co_await ov::find_host_image(ref, deadline);
            const ov::ImageExport stream = [image, executor, cut_at]() -> std::unique_ptr<ov::ByteSource> {
                return std::make_unique<CutSource>(ov::podman_save(image.ref, executor), cut_at);
            };
            const ov::OpenImage open = ov::share_export(executor, stream);
            sent.result = co_await ov::copy_image(machine, image, open, options, deadline, nowhere);
        } catch (const ov::Error& error) {
            sent.problem = error.what();
        }
        co_await machine.close(Deadline::unlimited().child(std::chrono::seconds(2)));
    });
    return sent;
}

}  // namespace

TEST_CASE("an image travels once, then only what changed, and is the same image") {
    if (!have_podman()) return;
    const Storages storages;
    storages.build("localhost/notes:1", 5, "one");

    const Sent first = send(storages, "notes:1");
    CHECK(first.problem == "");
    CHECK(first.result.sent);
    CHECK(first.result.layers_sent == 6);
    CHECK(first.result.wire_bytes > 1500000);
    CHECK(storages.in_guest("podman image exists localhost/notes:1") == 0);

    const Sent again = send(storages, "localhost/notes:1");
    CHECK(again.problem == "");
    CHECK_FALSE(again.result.sent);
    CHECK(again.result.wire_bytes == 0);

    storages.build("localhost/notes:1", 5, "two");
    const Sent changed = send(storages, "localhost/notes:1", {"localhost/ov-notes:latest", false, false, true});
    CHECK(changed.problem == "");
    CHECK(changed.result.layers_held == 5);
    CHECK(changed.result.layers_sent == 1);
    CHECK(changed.result.wire_bytes < 65536);
    CHECK(storages.in_guest("m=$(podman image mount localhost/ov-notes:latest) && grep -qx two $m/last && podman image unmount "
                            "localhost/ov-notes:latest >/dev/null") == 0);
    CHECK(storages.spool_empty());

    // Only a name is missing: nothing travels for it.
    const Sent named = send(storages, "localhost/notes:1", {"localhost/again:1", false, false, true});
    CHECK_FALSE(named.result.sent);
    CHECK(named.result.tagged);
    CHECK(storages.in_guest("podman image exists localhost/again:1") == 0);
}

TEST_CASE("an image of zeros, which nearly vanishes on the wire") {
    if (!have_podman()) return;
    const Storages storages;
    std::filesystem::create_directory(storages.tree().path("context"));
    std::ofstream(storages.tree().path("context/f0"), std::ios::binary) << std::string(6U << 20U, '\0');
    storages.build("localhost/notes:1", 1, "one");
    const Sent sent = send(storages, "localhost/notes:1");
    CHECK(sent.problem == "");
    CHECK(sent.result.wire_bytes < 100000);
    CHECK(storages.in_guest("podman image exists localhost/notes:1") == 0);
}

TEST_CASE("a torn image is found and replaced; a dry run leaves it") {
    if (!have_podman()) return;
    const Storages storages;
    storages.build("localhost/notes:1", 3, "one");
    CHECK(send(storages, "localhost/notes:1").problem == "");
    // The directory of a layer is lost, as after a power cut: the lowest, which podman does not make anew when it is missing.
    REQUIRE(storages.in_guest(fmt::format("for d in {}/guest/overlay/*/; do test -e $d/lower || rm -rf $d/diff; done",
                                          storages.tree().path())) == 0);
    CHECK_FALSE(send(storages, "localhost/notes:1", {"", false, true, true}).result.sent);
    CHECK(storages.in_guest("podman image exists localhost/notes:1") == 0);
    const Sent mended = send(storages, "localhost/notes:1");
    CHECK(mended.problem == "");
    CHECK(mended.result.sent);
    CHECK(mended.result.layers_held == 0);
    CHECK(storages.in_guest("podman image mount localhost/notes:1 >/dev/null") == 0);
}

TEST_CASE(
    "an image that cannot be mounted for another reason than a lost layer is left, and so is one whose successor has no space") {
    if (!have_podman()) return;
    const Storages storages;
    storages.build("localhost/notes:1", 3, "one");
    CHECK(send(storages, "localhost/notes:1").problem == "");
    const auto fake = [&storages](const std::string& when, const std::string& what) {
        storages.tree().write("guest.conf.bin/podman", "#!/bin/bash\nexport PATH=${PATH#*:}\n" + when + "\nexec podman \"$@\"\n");
        storages.tree().write("guest.conf.bin/df", "#!/bin/bash\nexport PATH=${PATH#*:}\n" + what + "\nexec df \"$@\"\n");
        for (const char* name : {"podman", "df"})
            std::filesystem::permissions(storages.tree().path(std::string("guest.conf.bin/") + name),
                                         std::filesystem::perms::all);
    };
    fake(
        "if [[ \"$1 $2\" == 'image mount' ]]; then echo 'Error: mkdir /x/storage/overlay/9/merged: no space left on device' >&2; "
        "exit 125; fi",
        "");
    const Sent full = send(storages, "localhost/notes:1");
    CHECK(full.problem.find("cannot mount the image") != std::string::npos);
    CHECK(full.problem.find("no space left on device") != std::string::npos);
    CHECK(storages.in_guest("podman image exists localhost/notes:1") == 0);
    fake("if [[ \"$1 $2\" == 'image mount' ]]; then echo 'Error: database is locked' >&2; exit 125; fi", "");
    CHECK(send(storages, "localhost/notes:1").problem.find("database is locked") != std::string::npos);
    CHECK(storages.in_guest("podman image exists localhost/notes:1") == 0);
    // Torn, but what would come in its place does not fit.
    fake("if [[ \"$1 $2\" == 'image mount' ]]; then echo 'Error: layer not known' >&2; exit 125; fi",
         "printf 'Filesystem 1-blocks Used Available Capacity Mounted\\n/dev/x 9 8 1000 1%% /\\n/dev/x 9 8 1000 1%% /\\n'; exit "
         "0");
    CHECK(send(storages, "localhost/notes:1").problem.find("not enough space") != std::string::npos);
    CHECK(storages.in_guest("podman image exists localhost/notes:1") == 0);
}

TEST_CASE("a stream that is cut leaves the storage as it was, without a spool file, wherever it is cut") {
    if (!have_podman()) return;
    const Storages storages;
    storages.build("localhost/notes:1", 4, "one");
    for (const bool compress : {false, true}) {
        for (const std::uint64_t at : {0, 100, 300000, 700000, 1100000}) {
            CAPTURE(at);
            const Sent cut = send(storages, "localhost/notes:1", {"", false, false, compress}, at);
            CHECK(cut.problem.find("cut here") != std::string::npos);
            CHECK(storages.in_guest("test -z \"$(podman images -aq)\"") == 0);
            CHECK(storages.spool_empty());
        }
    }
    CHECK(send(storages, "localhost/notes:1").problem == "");
}

TEST_CASE("an image that is not there is named, with what to do") {
    if (!have_podman()) return;
    const Storages storages;
    const Sent sent = send(storages, "nothing");
    CHECK(sent.problem.find("no image nothing") != std::string::npos);
    CHECK(sent.problem.find("ov image build nothing") != std::string::npos);
}
