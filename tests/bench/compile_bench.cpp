// CPU time of loading and compiling: the corpus for one distribution, and generated layers in a chain and in a fan.
//
// Usage: compile_bench [LAYERS_DIR]; one line a figure. Build with --buildtype=release.
#include <ctime>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "ov/compile.hpp"
#include "ov/load.hpp"
#include "ov/plan_output.hpp"
#include "spec/decode_layer.hpp"

namespace {

double cpu_ms() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

ov::CompileContext debian() {
    ov::CompileContext context;
    context.distro = ov::distro_from_tag("debian:13");
    context.user = "cloud";
    context.home = "/home/cloud";
    return context;
}

void measure_corpus(const std::string& layers) {
    const auto root = std::filesystem::temp_directory_path() / "ov-compile-bench";
    std::filesystem::create_directories(root);
    std::ofstream(root / "overthink.yml") << "version: 2026.144.1443\ndiscover: {layer: ["
                                          << std::filesystem::absolute(layers).string() << "]}\n";
    const double begin = cpu_ms();
    const ov::Project project = ov::load_project({root.string(), std::nullopt});
    const double loaded = cpu_ms();
    std::vector<std::string> names;
    for (const auto& [key, layer] : project.layers) names.push_back(key);
    std::size_t steps = 0, count = 0;
    for (const ov::Layer* layer : ov::order_layers(names, project.layers)) {
        steps += ov::compile(*layer, debian()).steps.size();
        ++count;
    }
    std::printf("corpus: %zu layers, %zu steps, load %.1f ms, order and compile %.1f ms, together %.1f ms CPU\n", count, steps,
                loaded - begin, cpu_ms() - loaded, cpu_ms() - begin);
    std::filesystem::remove_all(root);
}

/// Layer i of n requires the next one (chain), or all stand below one (fan).
void measure_generated(const char* shape, int n) {
    const bool chain = std::string(shape) == "chain";
    const double begin = cpu_ms();
    ov::LayerMap layers;
    for (int i = 0; i < n; ++i) {
        std::string require;
        if (chain && i + 1 < n) require = "l" + std::to_string(i + 1);
        if (!chain && i == 0)
            for (int k = 1; k < n; ++k) require += (k == 1 ? "l" : ", l") + std::to_string(k);
        const std::string name = "l" + std::to_string(i);
        const std::string text = "layer: {version: 2026.1.1, require: [" + require +
                                 "], package: [a, b], env: {K: ~/v}, task: [{cmd: 'true'}, {mkdir: ~/d, user: '${USER}'}]}";
        std::vector<ov::Diagnostic> findings;
        layers.emplace(name, ov::spec::decode_layer_file(text, name + ".yml", name, "/l/" + name, findings));
    }
    const double decoded = cpu_ms();
    const std::string request[] = {"l0"};
    const ov::OrderedLayers order = ov::order_layers(request, layers);
    const double ordered = cpu_ms();
    std::size_t steps = 0;
    for (const ov::Layer* layer : order) steps += ov::compile(*layer, debian()).steps.size();
    std::printf("%s of %d: decode %.1f ms, order %.1f ms, compile %.1f ms (%zu steps), %.2f us a layer\n", shape, n,
                decoded - begin, ordered - decoded, cpu_ms() - ordered, steps, (cpu_ms() - begin) * 1e3 / n);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) measure_corpus(argv[1]);
    for (const char* shape : {"chain", "fan"})
        for (const int n : {1000, 2000, 5000, 10000, 20000}) measure_generated(shape, n);
    return 0;
}
