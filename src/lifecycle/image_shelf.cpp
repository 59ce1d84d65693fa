#include "lifecycle/image_shelf.hpp"

#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::size_t most_builds = 2;

}  // namespace

struct ImageShelf::Work {
    explicit Work(const asio::any_io_executor& executor) : changed(executor) {}
    Event changed;
    bool running = false;
    std::optional<HostImage> image;
    std::exception_ptr failure;
};

ImageShelf::ImageShelf(ImageWorkshop workshop)
    : workshop_(std::move(workshop)), builds_(workshop_.runtime.io.get_executor(), most_builds) {}

asio::awaitable<HostImage> ImageShelf::get(std::string image, Deadline deadline, EmitEvent events) {
    auto& place = works_[image];
    if (!place) place = std::make_shared<Work>(workshop_.runtime.io.get_executor());
    const std::shared_ptr<Work> work = place;
    while (work->running) co_await work->changed.wait(deadline);
    if (work->failure) std::rethrow_exception(work->failure);
    if (work->image) co_return *work->image;
    work->running = true;
    std::exception_ptr failure;
    try {
        const Semaphore::Place turn = co_await builds_.acquire(deadline);
        const BuiltImage built = co_await build_image(workshop_, image, deadline, events);
        work->image = co_await find_host_image(built.ref, deadline);
    } catch (const Error& error) {
        failure = std::current_exception();
        if (error.code() != Errc::cancelled && error.code() != Errc::timed_out) work->failure = failure;
    } catch (...) {  // whatever it is, those who wait must hear of it
        work->failure = failure = std::current_exception();
    }
    work->running = false;
    work->changed.notify();
    if (failure) std::rethrow_exception(failure);
    co_return *work->image;
}

}  // namespace ov
