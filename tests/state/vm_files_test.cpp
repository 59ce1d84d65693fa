#include "state/vm_files.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "async/runtime.hpp"
#include "ov/error.hpp"
#include "support/run_loop.hpp"
#include "support/temp_tree.hpp"

using namespace ov::state;
using ov::test::TempTree;

TEST_CASE("vm.json keeps what it is told and what it does not know") {
    const TempTree tree;
    const VmFiles files{tree.path("vm/ov-web")};
    CHECK_FALSE(load_vm_record(files).has_value());
    VmRecord record;
    record.base_digest = std::string(64, 'a');
    record.active_disk = "/p/disk.qcow2";
    record.libvirt_uri = "qemu:///session";
    record.facts = {{"distro", "debian:12"}};
    record.overrides.ram = "2G";
    record.overrides.cpus = 3;
    record.ssh_port = 20001;
    record.instance_id = "i";
    record.unknown = R"({"of_tomorrow":[1,2]})";
    save_vm_record(files, record);
    CHECK(load_vm_record(files) == record);
    struct stat status {};
    REQUIRE(stat(files.record().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
    REQUIRE(stat(files.directory.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0700);
}

TEST_CASE("command.json means defined; junk is an error, never a command") {
    const TempTree tree;
    const VmFiles files{tree.path("vm/ov-web")};
    CHECK_FALSE(load_command(files).has_value());
    const std::vector<std::string> argv{"qemu-system-x86_64", "-drive", "file=/a b,,c/disk.qcow2", "-name", "x\ny"};
    save_command(files, argv);
    CHECK(load_command(files) == argv);
    struct stat status {};
    REQUIRE(stat(files.command().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
    remove_command(files);
    CHECK_FALSE(load_command(files).has_value());
    for (const char* junk : {"", "{}", "[\"one\"]", "[1,2]", "[\"a\","}) {
        CAPTURE(junk);
        tree.write("vm/ov-web/command.json", junk);
        CHECK_THROWS_AS(load_command(files), ov::Error);
    }
}

TEST_CASE("one verb at a time for one machine, waiting without a thread") {
    const TempTree tree;
    const VmFiles files{tree.path("vm/ov-web")};
    ov::Runtime runtime(1);
    std::string said;
    const auto body = [&]() -> asio::awaitable<void> {
        const ov::Deadline deadline = ov::Deadline::unlimited();
        {
            const FileLock first = co_await lock_vm(runtime.pool, files, deadline);
            try {
                const FileLock second = co_await lock_vm(runtime.pool, files, deadline, std::chrono::milliseconds(50));
            } catch (const ov::Error& error) {
                said = error.what();
                CHECK(error.code() == ov::Errc::busy);
            }
        }
        const FileLock third = co_await lock_vm(runtime.pool, files, deadline);
    };
    std::exception_ptr failure;
    asio::co_spawn(runtime.io, body(), [&](std::exception_ptr error) { failure = error; });
    runtime.io.run();
    if (failure) std::rethrow_exception(failure);
    CHECK(said.find("another ov command works on this machine") != std::string::npos);
}
