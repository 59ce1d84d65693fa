// `ov image build` against a podman that writes down what it is asked: entries with layers, plain Containerfiles, references.
#include "lifecycle/image_build.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "async/task_group.hpp"
#include "lifecycle/image_shelf.hpp"
#include "ov/error.hpp"
#include "ov/load.hpp"
#include "support/engine.hpp"
#include "support/temp_tree.hpp"

namespace {

namespace fs = std::filesystem;

// Keeps the context of the last build. "localhost/there:1" exists, "localhost/far:1" can be pulled, nothing else can.
constexpr const char* fake_podman = R"sh(#!/bin/bash
here=$(dirname "$0")
echo "$*" >>"$here/asked"
case $1 in
build) if [[ -s $here/removals ]]; then
        sed -i 1d "$here/removals"
        echo "Error: checking if cached image exists from a previous build: getting top layer info: layer not known" >&2
        exit 125
    fi
    rm -rf "$here/context"; cp -R "${@: -1}" "$here/context"; while [[ $1 != --file ]]; do shift; done; cp "$2" "$here/file" ;;
image) [[ $2 == exists && $3 == localhost/there:1 ]] ;;
pull) [[ ${@: -1} == localhost/far:1 ]] || { echo "no such image in the registry" >&2; exit 125; } ;;
create) [[ ! -e $here/slow ]] || sleep 60 ;;
cp) exit 125 ;;
rm) ;;
*) exit 99 ;;
esac
)sh";

class Host {
public:
    ov::test::TempTree tree;

    Host() : path_(std::getenv("PATH")) {
        tree.write("bin/podman", fake_podman);
        fs::permissions(tree.path("bin/podman"), fs::perms::owner_all);
        ::setenv("PATH", (tree.path("bin") + ":" + path_).c_str(), 1);
        tree.write("project/overthink.yml",
                   "version: 2026.144.1443\nimage:\n"
                   "  nb: {base: \"quay.io/acme/small:7\", distro: [\"debian:13\", debian], layer: [lab, book]}\n"
                   "  bare: {base: \"quay.io/acme/small:7\", layer: [lab]}\n"
                   "  own: {containerfile: own/Containerfile, port: [\"80\"]}\n"
                   "discover: {layer: [layers]}\n");
        tree.write("project/layers/lab/layer.yml",
                   "layer:\n  version: 2026.150.1200\n  volume: [{name: work, path: ~/work}]\n"
                   "  task:\n    - {copy: tool, to: /usr/bin/tool}\n");
        tree.write("project/layers/lab/tool", "#!/bin/sh\n");
        tree.write("project/layers/book/layer.yml",
                   "layer:\n  data:\n    - {src: books, volume: work, dest: books}\n    - {src: index.txt, volume: work}\n");
        tree.write("project/layers/book/books/.one", "first book");
        tree.write("project/layers/book/index.txt", "all books");
        tree.write("project/own/Containerfile", "FROM scratch\nCOPY page /page");
        tree.write("project/own/page", "a page");
        tree.write("project/plain/Dockerfile", "FROM scratch\n");
        tree.write("project/labelled/Containerfile", "FROM scratch\nLABEL org.overthinkos.version=1.2.3\n");
    }
    ~Host() { ::setenv("PATH", path_.c_str(), 1); }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    ov::BuiltImage build(const std::string& image, ov::Deadline deadline = ov::Deadline::unlimited()) const {
        ov::BuiltImage built;
        const auto project = std::make_shared<const ov::Project>(ov::load_project({tree.path("project"), std::nullopt}));
        ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
            ov::ImageWorkshop workshop{runtime, project, std::make_shared<ov::Builders>(runtime, tree.path("builders")),
                                       tree.path("scratch")};
            const ov::EmitEvent events = [](const ov::EventBody&) {};
            built = co_await ov::build_image(workshop, image, deadline, events);
        });
        return built;
    }
    std::string problem(const std::string& image) const {
        try {
            build(image);
            return {};
        } catch (const ov::Error& error) {
            return error.what();
        }
    }
    std::string in_context(const std::string& file) const { return tree.read("bin/context/" + file); }

private:
    std::string path_;
};

}  // namespace

TEST_CASE("an entry with layers is laid out with its files and the data of its volumes, and built under its tag") {
    const Host host;
    const ov::BuiltImage built = host.build("nb");
    CHECK(built.ref == "localhost/nb:2026.150.1200");
    CHECK(built.built);
    CHECK(host.in_context("Containerfile").find("FROM quay.io/acme/small:7") != std::string::npos);
    CHECK(host.in_context("ov/data-1/.one") == "first book");
    CHECK(host.in_context("ov/data-2/index.txt") == "all books");
    std::size_t tools = 0;
    for (const auto& file : fs::recursive_directory_iterator(host.tree.path("bin/context/ov")))
        tools += file.is_regular_file() && host.in_context("ov/" + file.path().filename().string()) == "#!/bin/sh\n" ? 1 : 0;
    CHECK(tools == 1);
    CHECK(fs::is_empty(host.tree.path("scratch")));
}

TEST_CASE("data that the layer lacks is an error that names the file, before podman is asked") {
    const Host host;
    fs::remove(host.tree.path("project/layers/book/index.txt"));
    const std::string problem = host.problem("nb");
    CHECK(problem.find("/layers/book/index.txt: a layer has it as data of a volume and it is missing") != std::string::npos);
    CHECK(host.tree.read("bin/asked").find("build") == std::string::npos);
}

TEST_CASE("data that cannot be copied is an error that names it, for every machine that waits for the image") {
    const Host host;
    REQUIRE(::mkfifo(host.tree.path("project/layers/book/books/pipe").c_str(), 0600) == 0);
    CHECK(host.problem("nb").find("/layers/book/books: cannot be copied into the build context: ") != std::string::npos);
    const auto project = std::make_shared<const ov::Project>(ov::load_project({host.tree.path("project"), std::nullopt}));
    std::string problems[2];
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        ov::ImageWorkshop workshop{runtime, project, std::make_shared<ov::Builders>(runtime, host.tree.path("builders")),
                                   host.tree.path("scratch")};
        ov::ImageShelf shelf(workshop);
        const ov::Deadline deadline = ov::Deadline::unlimited().child(std::chrono::seconds(30));
        const auto take = [&](std::string& problem) -> asio::awaitable<void> {
            const ov::EmitEvent events = [](const ov::EventBody&) {};
            try {
                co_await shelf.get("nb", deadline, events);
            } catch (const ov::Error& error) {
                problem = error.what();
            }
        };
        const auto both = [&](ov::TaskGroup& group) -> asio::awaitable<void> {
            for (std::string& problem : problems) group.spawn(take(problem));
            co_return;
        };
        co_await ov::with_task_group(deadline, both);
    });
    for (const std::string& problem : problems)
        CHECK(problem.find("cannot be copied into the build context") != std::string::npos);
}

TEST_CASE("the container that tells what a base image is goes again, also when nobody waits any more") {
    const Host host;
    const auto removed = [&] {
        const std::string asked = host.tree.read("bin/asked");
        const std::size_t name = asked.find("--name ") + 7, create = asked.rfind("create --quiet --name ", name);
        return create != std::string::npos &&
               asked.find("rm --force --ignore " + asked.substr(name, asked.find(' ', name) - name) + "\n") != std::string::npos;
    };
    host.tree.write("bin/asked", "");
    host.problem("bare");
    CHECK(removed());
    host.tree.write("bin/asked", "");
    host.tree.write("bin/slow", "");
    CHECK_THROWS_AS(host.build("bare", ov::Deadline::unlimited().child(std::chrono::milliseconds(300))), ov::Error);
    CHECK(removed());
}

TEST_CASE("a file that became a program makes another image") {
    const Host host;
    const auto file_of = [&] {
        host.build("nb");
        return host.in_context("Containerfile");
    };
    const std::string before = file_of();
    CHECK(file_of() == before);
    fs::permissions(host.tree.path("project/layers/lab/tool"), fs::perms(0755));
    CHECK(file_of() != before);
}

TEST_CASE("an entry with a Containerfile of its own is built in its directory, with the labels added") {
    const Host host;
    CHECK(host.build("own").ref == "localhost/own:2026.144.1443");
    CHECK(host.in_context("page") == "a page");
    const std::string file = host.tree.read("bin/file");
    CHECK(file.find("FROM scratch\nCOPY page /page\nLABEL ") == 0);
    CHECK(file.find("org.overthinkos.version=\"2026.144.1443\"") != std::string::npos);
    CHECK(file.find("org.overthinkos.ports=\"[\\\"80\\\"]\"") != std::string::npos);
    // Its own command, user and directory are what the pod has.
    CHECK(file.find("org.overthinkos.init=\"image\"") != std::string::npos);
    CHECK(file.find("org.overthinkos.home") == std::string::npos);
    host.tree.write("project/own/Containerfile", "FROM scratch\nLABEL org.overthinkos.init=systemd\n");
    host.build("own");
    CHECK(host.tree.read("bin/file").find("init=\"image\"") == std::string::npos);
}

TEST_CASE(
    "a directory with a Containerfile is built as it is; the label that pods need comes along, unless the author wrote one") {
    const Host host;
    const ov::BuiltImage built = host.build("./plain");
    CHECK(built.ref == "localhost/plain:latest");
    CHECK(built.built);
    const std::string asked = host.tree.read("bin/asked");
    CHECK(asked.find("--label org.overthinkos.version=2026.144.1443 --label org.overthinkos.image=plain --label "
                     "org.overthinkos.init=image") != std::string::npos);
    CHECK(host.build("./labelled/Containerfile").ref == "localhost/labelled:latest");
    CHECK(host.tree.read("bin/asked").substr(asked.size()).find("--label") == std::string::npos);
}

TEST_CASE("a reference is taken as it is, or pulled; nothing is built") {
    const Host host;
    CHECK(host.build("localhost/there:1").ref == "localhost/there:1");
    CHECK(host.build("localhost/far:1").ref == "localhost/far:1");
    CHECK(!host.build("localhost/there:1").built);
    const std::string asked = host.tree.read("bin/asked");
    CHECK(asked.find("build ") == std::string::npos);
    CHECK(asked.find("pull --quiet localhost/there:1") == std::string::npos);
    CHECK(host.problem("localhost/gone:1").find("image localhost/gone:1 is not here and cannot be pulled: no such image") == 0);
    CHECK(host.problem("nbb").find("no image \"nbb\" in the project or in this host's podman storage") == 0);
}

TEST_CASE("a build that another podman disturbed by removing an image is repeated, twice at most") {
    const Host host;
    host.tree.write("bin/removals", "1\n2\n");
    CHECK(host.build("./plain").ref == "localhost/plain:latest");
    host.tree.write("bin/removals", "1\n2\n3\n");
    CHECK(host.problem("./plain").find("layer not known") != std::string::npos);
}
