// What a person sees while a run is going on. On a terminal: one line per machine at work and a line of totals, redrawn in
// place; elsewhere: one line per event that matters. Reads events, writes text, owns no timer.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ov/events.hpp"

namespace ov {

/// quiet: warnings alone, for they belong to the result.
enum class ProgressMode { tty, plain, quiet, none };

class Progress {
public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;
    using Write = std::function<void(std::string_view)>;
    struct Size {
        int columns = 80, rows = 24;
    };

    Progress(ProgressMode mode, Clock clock, Write write, std::function<Size()> size);

    void on_event(const DeployEvent& event);
    /// Redraws elapsed times; call it about four times a second in tty mode.
    void refresh();
    /// Removes what was drawn in place; permanent lines stay.
    void clear();

    /// The lines of the tty display as they would be drawn now.
    std::vector<std::string> lines(Size size) const;

private:
    struct Working {
        std::chrono::steady_clock::time_point since;
        std::string doing;
    };
    void say(const std::string& line);
    void say_note(const std::string& vm, const event::Note& note);
    void draw();
    std::string elapsed(std::chrono::steady_clock::time_point since) const;

    ProgressMode mode_;
    Clock clock_;
    Write write_;
    std::function<Size()> size_;
    std::chrono::steady_clock::time_point started_, drawn_at_;
    std::map<std::string, Working> working_;
    Totals totals_;
    std::size_t selected_ = 0;
    int drawn_ = 0;
};

}  // namespace ov
