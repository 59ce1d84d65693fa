#include "lifecycle/image_work.hpp"

#include <nlohmann/json.hpp>

#include "lifecycle/machine_connection.hpp"

namespace ov {

namespace {

std::string json_of(const CopyImageResult& result, const HostImage& image, const CopyImageOptions& options) {
    const nlohmann::json json{{"image", image.ref},
                              {"id", image.id},
                              {"storage", options.rootless ? "user" : "root"},
                              {"sent", result.sent},
                              {"tagged", result.tagged},
                              {"layers", image.layers.size()},
                              {"layers_sent", result.layers_sent},
                              {"layers_held", result.layers_held},
                              {"archive_bytes", result.archive_bytes},
                              {"wire_bytes", result.wire_bytes},
                              {"seconds", result.seconds},
                              {"notes", result.notes}};
    return json.dump();
}

}  // namespace

asio::awaitable<std::shared_ptr<ImageSupply>> find_supply(asio::any_io_executor executor, std::string name, int machines,
                                                          Deadline deadline) {
    auto supply = std::make_shared<ImageSupply>();
    supply->image = co_await find_host_image(std::move(name), deadline);
    const ImageExport stream = [ref = supply->image.ref, executor] { return podman_save(ref, executor); };
    supply->stream = std::make_shared<SharedExport>(executor, stream, machines);
    co_return supply;
}

asio::awaitable<std::string> copy_image_to_machine(RunContext& context, MachineJob job, Deadline deadline) {
    const std::shared_ptr<ImageSupply> supply = context.image;
    CopyImageOptions options = context.request.image;
    auto joined = std::make_shared<bool>(false);
    const OpenImage open = [supply, joined] {
        *joined = true;
        return supply->stream->join();
    };
    CopyImageResult result;
    std::exception_ptr failure;
    try {
        OpenMachine machine = co_await open_machine(context, job, deadline);
        PhaseScope phase(job.emit, WorkPhase::artifacts);
        try {
            result = co_await copy_image(*machine.executor, supply->image, open, options, deadline, job.emit);
            phase.finish();
        } catch (const Error&) {
            failure = std::current_exception();
        }
        co_await close_machine(*machine.executor);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!*joined) supply->stream->excuse();
    if (failure) std::rethrow_exception(failure);
    co_return json_of(result, supply->image, options);
}

}  // namespace ov
