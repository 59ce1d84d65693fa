// Stamps events with sequence, time and run, and hands them to every consumer; also their JSON form.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ov/events.hpp"
#include "ov/fleet.hpp"

namespace ov {

class EventStream {
public:
    using Clock = std::function<std::chrono::system_clock::time_point()>;

    EventStream(std::string run, Clock clock) : run_(std::move(run)), clock_(std::move(clock)) {}

    void add(EventSink sink) { sinks_.push_back(std::move(sink)); }
    void emit(std::string vm, EventBody body);
    /// An emitter for one machine; it must not outlive the stream.
    EmitEvent emitter(std::string vm);
    const std::string& run() const noexcept { return run_; }

private:
    std::string run_;
    Clock clock_;
    std::vector<EventSink> sinks_;
    std::uint64_t seq_ = 0;
};

/// One line of JSON without the newline; bytes that are not UTF-8 are replaced. `found` becomes a member of the line.
std::string to_json_line(const DeployEvent& event, const Finding& found = {});

/// RFC 3339 in UTC with milliseconds: "2026-05-01T10:00:00.123Z".
std::string format_time(std::chrono::system_clock::time_point time);

}  // namespace ov
