#include "backend/libvirt_watch.hpp"

#include <asio/post.hpp>
#include <asio/prefer.hpp>

namespace ov {

struct LibvirtWatch::State {
    explicit State(const asio::any_io_executor& loop) : executor(loop), changed(loop) {}
    asio::any_io_executor executor;
    Event changed;
    bool stopped = false;  // changed and read on the loop only
};

namespace {

using Shared = std::shared_ptr<void>;

void drop(void* opaque) {
    delete static_cast<Shared*>(opaque);
}

}  // namespace

LibvirtWatch::LibvirtWatch(asio::any_io_executor executor, LibvirtConnection connection, LibvirtDomain domain)
    : state_(std::make_shared<State>(executor)), connection_(std::move(connection)) {
    const auto on_lifecycle = [](virConnectPtr, virDomainPtr, int event, int, void* opaque) {
        if (event != VIR_DOMAIN_EVENT_STOPPED) return;
        auto state = std::static_pointer_cast<State>(*static_cast<Shared*>(opaque));
        asio::post(state->executor, [state] {
            state->stopped = true;
            state->changed.notify();
        });
    };
    lifecycle_ = virConnectDomainEventRegisterAny(connection_.get(), domain.get(), VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                                  VIR_DOMAIN_EVENT_CALLBACK(+on_lifecycle), new Shared(state_), drop);
    if (lifecycle_ < 0) throw libvirt_error("watching a domain");
}

LibvirtWatch::~LibvirtWatch() {
    virConnectDomainEventDeregisterAny(connection_.get(), lifecycle_);
}

asio::awaitable<void> LibvirtWatch::wait_stopped(Deadline deadline) {
    const auto state = state_;
    // An event still to come keeps the loop alive.
    const auto keep_loop = asio::prefer(state->executor, asio::execution::outstanding_work.tracked);
    while (!state->stopped) co_await state->changed.wait(deadline);
}

}  // namespace ov
