// CPU time of rendering: 10 000 domains, argvs and seeds of one full spec, all with the same bytes.
//
// Usage: render_bench SPEC.yml RUNTIME.yml FACTS.yml [COUNT]. Build with --buildtype=release. Exit 1 when two renders differ.
#include <ctime>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "ov/render.hpp"

namespace {

double cpu_ms() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

std::string text_of(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        std::fprintf(stderr, "render_bench: cannot read %s\n", path);
        std::exit(1);
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

template <class Render>
void measure(const char* what, int count, Render render) {
    const std::string first = render();
    const double begin = cpu_ms();
    for (int i = 0; i < count; ++i)
        if (render() != first) {
            std::printf("%s: render %d differs\n", what, i);
            std::exit(1);
        }
    std::printf("%s: %d renders, same %zu bytes, %.4f ms CPU each\n", what, count, first.size(), (cpu_ms() - begin) / count);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: render_bench SPEC.yml RUNTIME.yml FACTS.yml [COUNT]\n");
        return 1;
    }
    std::vector<ov::Diagnostic> findings;
    const ov::VmSpec spec = ov::parse_vm_spec(text_of(argv[1]), "bench", argv[1], findings);
    const ov::HostFacts facts = ov::parse_host_facts(text_of(argv[3]), argv[3], findings);
    const ov::VmRuntime runtime = ov::parse_vm_runtime(text_of(argv[2]), argv[2], {}, findings);
    for (const ov::Diagnostic& finding : findings) std::fprintf(stderr, "%s\n", finding.str().c_str());
    const int count = argc > 4 ? std::atoi(argv[4]) : 10000;
    measure("domain XML", count, [&] { return ov::render_domain(spec, facts, runtime); });
    measure("QEMU argv", count, [&] {
        std::string all;
        for (const std::string& word : ov::render_argv(spec, facts, runtime)) all += word + "\n";
        return all;
    });
    measure("cloud-init", count, [&] {
        const ov::CloudInitFiles files = ov::render_cloud_init(spec, runtime);
        return files.user_data + files.meta_data + files.network_config;
    });
    return findings.empty() ? 0 : 1;
}
